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
  // A request's statement is over before workers or compiled code are ready.
  jit: 'off',
  max_parallel_workers_per_gather: '0',
  // In kB: 4 MB don't hold a common word's bitmap of a million movies, and then most rows are compared again.
  work_mem: '16384',
  gin_fuzzy_search_limit: '0',
  idle_session_timeout: '0',
}

/** Pins a session's settings (one known from PostgreSQL 17 on) by a statement: poolers refuse startup parameters. */
export const pinStatement = `select ${Object.entries(pins)
  .map(([name, value]) => `pg_catalog.set_config('${name}', '${value}', false)`)
  .join(', ')}, case when pg_catalog.current_setting('transaction_timeout', true) is not null
  then pg_catalog.set_config('transaction_timeout', '0', false) end`

/** Settings that every pooler keeps per client. */
export const pooledPins = {
  DateStyle: pins.DateStyle,
  TimeZone: pins.TimeZone,
  standard_conforming_strings: pins.standard_conforming_strings,
}
