/** The gateway: quotes, holds, forwards, meters and books every call. `octroi/gateway`. */
export { type Gateway, type GatewayOptions, startGateway } from './app.ts'
export { defaultConfig, type GatewayConfig, readConfig } from './config.ts'
export { type DataFolder, openDataFolder } from './data-folder.ts'
export type { Key, KeyOwner, KeyRights } from './registry/keys.ts'
export type { Registry } from './registry/registry.ts'
export type { TillLine } from './till.ts'
