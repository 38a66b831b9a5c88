import { OperatorError } from '../errors'

const OLDEST = 15

/** Engines whose `version()` claims to be PostgreSQL; others are honest. */
const IN_DISGUISE: readonly (readonly [RegExp, string])[] = [
  [/-YB-|yugabyte/i, 'YugabyteDB'],
  [/redshift/i, 'Amazon Redshift'],
  [/greenplum/i, 'Greenplum'],
]

/** Refuses an old PostgreSQL, or another engine that speaks its protocol; `version` comes from `version()`. */
export function requirePostgres(version: string): void {
  const disguised = IN_DISGUISE.find(([mark]) => mark.test(version))?.[1]
  const [, major, minor] = /^PostgreSQL (\d+)(?:\.(\d+))?/.exec(version) ?? []
  const name = disguised ?? (major === undefined ? (/\w+/.exec(version)?.[0] ?? 'unknown') : undefined)
  if (name !== undefined)
    throw new OperatorError(
      `the database is ${name}, which speaks PostgreSQL's protocol but lacks features that Redlight needs: use PostgreSQL 15 or newer (docs/OPERATIONS.md lists services that run it)`,
      { isFinal: true },
    )
  if (Number(major) < OLDEST)
    throw new OperatorError(
      `the database is PostgreSQL ${major}${minor === undefined ? '' : `.${minor}`}, which is too old: upgrade it to 15 or newer`,
      { isFinal: true },
    )
}
