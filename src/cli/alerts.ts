import { OctroiError } from '../errors.ts'
import { findControl } from '../gateway/data-folder.ts'
import { askControl } from './control.ts'

/** An alert as the control plane shows it. */
export type ShownAlert = {
  readonly id: string
  readonly at: string
  readonly type: string
  readonly data: Readonly<Record<string, unknown>>
  readonly deliveries: readonly {
    readonly receiver: string
    readonly state: string
    readonly attempts: number
    readonly said: string | null
  }[]
}

/** The latest alerts of the gateway that holds a folder; with `test`, one that it sends now. Throws `bad_input` where no
 * gateway holds it. */
export const readAlerts = async (folder: string, { test = false } = {}): Promise<readonly ShownAlert[]> => {
  const control = await findControl(folder)
  if (control === null) {
    throw new OctroiError(
      'bad_input',
      `No gateway holds ${folder}. Start one with octroi serve --data ${folder}.`,
    )
  }
  const path = test ? '/octroi/v1/alerts/test' : '/octroi/v1/alerts'
  return (await askControl<{ alerts: readonly ShownAlert[] }>(control, path, ...(test ? ['{}'] : []))).alerts
}

/** The rows of a table: one for each receiver of an alert, or one where nobody is told. */
export const alertRows = (alerts: readonly ShownAlert[]): readonly (readonly string[])[] =>
  alerts.flatMap(({ id, at, type, data, deliveries }) => {
    const about = [data['limit'], data['share'] ?? data['factor']]
      .filter((part) => part !== undefined)
      .join(' ')
    const row = [at, type, about]
    const told = deliveries.length === 0 ? [['nobody', '', '0', '']] : deliveries.map(deliveryCells)
    return told.map((cells) => [...row, ...cells, id])
  })

const deliveryCells = ({ receiver, state, attempts, said }: ShownAlert['deliveries'][number]) => [
  new URL(receiver).host,
  state,
  `${attempts}`,
  said ?? '',
]
