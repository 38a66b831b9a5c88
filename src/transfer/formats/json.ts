import type { Format } from './format'

/** The API's own keys, as lines or in a list. */
export const json: Format = {
  name: 'json',
  shape: 'json',
  columns: { type: 'kind' },
  ignored: ['id', 'created_by', 'version', 'favourite', 'favourited_at'],
}

export const ndjson: Format = { ...json, name: 'ndjson' }
