import * as is from './config-values'
import { type LogLevel, logLevels } from './log'

type Permission = 'movies:read' | 'movies:write'

type Database =
  | { readonly kind: 'postgres'; readonly url: string; readonly poolMax: number; readonly waitMs: number }
  | { readonly kind: 'embedded'; readonly dataDir: string; readonly poolMax: number; readonly waitMs: number }

type Smtp = {
  readonly host: string
  readonly port: number
  readonly username: string | undefined
  readonly password: string | undefined
  readonly sender: string
}

type Limiter = {
  readonly enabled: boolean
  readonly requestsPerSecond: number
  readonly burst: number
  readonly signInsPerMinute: number
  readonly failedSignInsPerMinute: number
  readonly accountFailuresPerMinute: number
  readonly registrationsPerMinute: number
  readonly mailsPerMailboxPerHour: number
  readonly mailsPerAddressPerHour: number
  readonly exempt: readonly string[]
}

export type Config = {
  readonly host: string
  readonly port: number
  /** Without a slash at its end. */
  readonly publicUrl: string
  readonly environment: string
  readonly database: Database
  readonly migrateOnStart: boolean
  /** Undefined secrets, on the embedded database alone, are made and kept in its folder. */
  readonly jwt: { readonly secrets: readonly string[] | undefined; readonly ttlSeconds: number }
  /** Undefined: mails go to the log. */
  readonly smtp: Smtp | undefined
  readonly defaultPermissions: readonly Permission[]
  readonly limiter: Limiter
  readonly trustedProxies: readonly string[]
  readonly corsTrustedOrigins: readonly string[]
  readonly logLevel: LogLevel
  readonly shutdownDelayMs: number
  readonly shutdownTimeoutMs: number
}

const { required, optional } = is
const rate = is.integer(0, 1_000_000, 'a whole number from 0 to 1000000 (0 is no limit)')
const burst = is.integer(1, 1_000_000, 'a whole number from 1 to 1000000 (LIMITER_RPS=0 is no limit)')

const table = {
  host: required('HOST', '127.0.0.1', is.host, 'address to listen on'),
}
