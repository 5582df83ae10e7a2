import { cpus, totalmem } from 'node:os'

/** The shape of this machine, as it stands above figures. */
export const machine = (): string => {
  const [first] = cpus()
  const gigabytes = Math.round(totalmem() / 1_073_741_824)
  return `${cpus().length} x ${first?.model ?? 'unknown'}, ${gigabytes} GB, ${process.platform} ${process.arch}, Node ${process.version}`
}
