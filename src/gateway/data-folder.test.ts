import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findControl } from './data-folder.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'octroi-folder-'))
})
afterEach(() => rm(folder, { recursive: true }))

describe('the control plane of a data folder', () => {
  it('is none where nobody has announced one, or the announcement is broken', async () => {
    expect(await findControl(folder)).toBeNull()
    for (const text of ['', '{', 'null', '{"url":7}']) {
      await writeFile(join(folder, 'control.json'), text)
      expect(await findControl(folder)).toBeNull()
    }
  })

  it('is where it was announced', async () => {
    await writeFile(join(folder, 'control.json'), '{"url":"http://127.0.0.1:8788"}')
    expect(await findControl(folder)).toEqual({ url: 'http://127.0.0.1:8788', token: null })
    await writeFile(join(folder, 'control.json'), '{"url":"http://127.0.0.1:8788","token":"a"}')
    expect(await findControl(folder)).toEqual({ url: 'http://127.0.0.1:8788', token: 'a' })
  })

  it('is not taken for missing when its file cannot be read', async () => {
    await expect(findControl(join(folder, 'control.json\0'))).rejects.toThrow()
    await writeFile(join(folder, 'file'), '')
    await expect(findControl(join(folder, 'file'))).rejects.toMatchObject({ code: 'bad_input' })
  })
})
