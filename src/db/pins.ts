/**
 * Settings that the code relies on, which a database or role may have set differently. A read-only default
 * isn't among them: providers set it to protect a full disk.
 */
export const pins: Readonly<Record<string, string>> = {
  // Supabase and Heroku keep extensions in schemas of these names.
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
  // A page is planned once for all values; PostgreSQL would spend most of the time on planning each again.
  plan_cache_mode: 'force_generic_plan',
  gin_fuzzy_search_limit: '0',
  idle_session_timeout: '0',
}
/** Known from PostgreSQL 17 on; our own limits make it unnecessary. */
const NEWER = { name: 'transaction_timeout', value: '0' }

const quoted = (text: string) => `'${text}'`

/** Pins the settings of a session. A statement, because poolers refuse or ignore most startup parameters. */
export const pinStatement = `select ${Object.entries(pins)
  .map(([name, value]) => `pg_catalog.set_config(${quoted(name)}, ${quoted(value)}, false)`)
  .join(', ')}, case when pg_catalog.current_setting(${quoted(NEWER.name)}, true) is not null
  then pg_catalog.set_config(${quoted(NEWER.name)}, ${quoted(NEWER.value)}, false) end`

/** Settings that every pooler keeps per client. */
export const pooledPins = {
  DateStyle: pins.DateStyle,
  TimeZone: pins.TimeZone,
  standard_conforming_strings: pins.standard_conforming_strings,
}
