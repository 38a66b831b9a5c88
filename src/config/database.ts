import { connectionOf } from '../connection/address'
import type { Reader } from './reader'
import { redactUrl } from './values'
import { variables } from './variables'

export type PostgresConfig = {
  readonly kind: 'postgres'
  readonly url: string
  /** The same database without the pooler of `url`; undefined if there is none. */
  readonly directUrl?: string | undefined
  readonly replicas?: ReplicasConfig | undefined
  readonly poolMax: number
  readonly waitMs: number
}
export type ReplicasConfig = { readonly urls: readonly string[]; readonly maxLagMs: number }
export type EmbeddedConfig = {
  readonly kind: 'embedded'
  readonly dataDir: string
  readonly poolMax: number
  readonly waitMs: number
}
export type DatabaseConfig = PostgresConfig | EmbeddedConfig

export function buildDatabase(read: Reader): DatabaseConfig {
  const url = read.optional(variables.databaseUrl)
  const poolMax = read.value(variables.databasePoolMax)
  const waitMs = read.value(variables.databaseWait)
  const dataDir = read.value(variables.dataDir)
  const directUrl = buildDirectUrl(read)
  const replicas = buildReplicas(read)
  judgePrisma(read, url, [directUrl, ...(replicas?.urls ?? [])])
  return url === undefined
    ? { kind: 'embedded', dataDir, poolMax, waitMs }
    : { kind: 'postgres', url, directUrl, replicas, poolMax, waitMs }
}

function buildDirectUrl(read: Reader): string | undefined {
  const { databaseUrl, databasePooler, databaseDirectUrl } = variables
  read.needs(databasePooler, databaseUrl)
  read.needs(databasePooler, databaseDirectUrl)
  read.needs(databaseDirectUrl, databasePooler)
  read.optional(databasePooler)
  return read.optional(databaseDirectUrl)
}

/** Prisma's `pgbouncer=true` declares a pooler, which changes what may be sent there. */
function judgePrisma(read: Reader, url: string | undefined, others: readonly (string | undefined)[]) {
  const isPgBouncer = (address: string | undefined) =>
    address !== undefined && connectionOf(address).isPgBouncer
  if (isPgBouncer(url) && !read.isSet(variables.databasePooler))
    read.problems.push(
      'DATABASE_URL has pgbouncer=true: set DATABASE_POOLER=transaction, and DATABASE_DIRECT_URL to the address past it',
    )
  if (others.some(isPgBouncer))
    read.problems.push(
      'DATABASE_DIRECT_URL and DATABASE_REPLICA_URLS must lead past PgBouncer: take pgbouncer=true out, if they do',
    )
}

function buildReplicas(read: Reader): ReplicasConfig | undefined {
  const { databaseUrl, databaseReplicaUrls, databaseReplicaMaxLag } = variables
  read.needs(databaseReplicaUrls, databaseUrl)
  read.needs(databaseReplicaMaxLag, databaseReplicaUrls)
  const urls = read.optional(databaseReplicaUrls)
  const maxLagMs = read.value(databaseReplicaMaxLag)
  return urls && { urls, maxLagMs }
}

/** The configuration without passwords, for printing. */
export function redactedDatabase(config: DatabaseConfig): DatabaseConfig {
  if (config.kind === 'embedded') return config
  const { url, directUrl, replicas } = config
  return {
    ...config,
    url: redactUrl(url),
    directUrl: directUrl && redactUrl(directUrl),
    replicas: replicas && { ...replicas, urls: replicas.urls.map(redactUrl) },
  }
}
