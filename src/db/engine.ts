import { OperatorError } from '../errors'

const OLDEST = 15

/** Those that call themselves PostgreSQL in `version()`; the others don't. */
const IN_DISGUISE: readonly (readonly [RegExp, string])[] = [
  [/-YB-|yugabyte/i, 'YugabyteDB'],
  [/redshift/i, 'Amazon Redshift'],
  [/greenplum/i, 'Greenplum'],
]

/** Refuses what speaks the protocol of PostgreSQL and is something else, or too old; `version` is what `version()` says. */
export function requirePostgres(version: string): void {
  const disguised = IN_DISGUISE.find(([mark]) => mark.test(version))?.[1]
  const [, major, minor] = /^PostgreSQL (\d+)(?:\.(\d+))?/.exec(version) ?? []
  const name = disguised ?? (major === undefined ? (/\w+/.exec(version)?.[0] ?? 'unknown') : undefined)
  if (name !== undefined)
    throw new OperatorError(
      `the database is ${name}, which speaks PostgreSQL's protocol but lacks what Redlight needs of it: use PostgreSQL 15 or newer itself (docs/OPERATIONS.md lists services that run it)`,
      { isFinal: true },
    )
  if (Number(major) < OLDEST)
    throw new OperatorError(
      `the database is PostgreSQL ${major}${minor === undefined ? '' : `.${minor}`}, which is too old: upgrade it to 15 or newer`,
      { isFinal: true },
    )
}
