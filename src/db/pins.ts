/**
 * Settings that the code relies on, which a database or a role may have otherwise. A read-only default is not among
 * them: providers set it to save a disk that is full.
 */
export const pins: Readonly<Record<string, string>> = {
  // What is not found in public may be an extension, which Supabase and Heroku keep in schemas of these names.
  search_path: 'public, extensions, heroku_ext',
  client_encoding: 'UTF8',
  DateStyle: 'ISO, MDY',
  IntervalStyle: 'postgres',
  TimeZone: 'UTC',
  bytea_output: 'hex',
  extra_float_digits: '1',
  standard_conforming_strings: 'on',
  default_transaction_isolation: 'read committed',
  default_transaction_deferrable: 'off',
  plan_cache_mode: 'auto',
  gin_fuzzy_search_limit: '0',
  idle_session_timeout: '0',
}
/** Known from PostgreSQL 17 on; the limits that are ours leave it nothing to do. */
const NEWER = { name: 'transaction_timeout', value: '0' }

const quoted = (text: string) => `'${text}'`

/** Pins the settings of a session; as a statement, because poolers refuse or ignore most at the start of a connection. */
export const pinStatement = `select ${Object.entries(pins)
  .map(([name, value]) => `pg_catalog.set_config(${quoted(name)}, ${quoted(value)}, false)`)
  .join(', ')}, case when pg_catalog.current_setting(${quoted(NEWER.name)}, true) is not null
  then pg_catalog.set_config(${quoted(NEWER.name)}, ${quoted(NEWER.value)}, false) end`

/** Those that every pooler keeps for each of its clients. */
export const pooledPins = {
  DateStyle: pins.DateStyle,
  TimeZone: pins.TimeZone,
  standard_conforming_strings: pins.standard_conforming_strings,
}
