import type { Format } from './format'

/** Any table whose columns are named as fields. */
export const csv: Format = { name: 'csv', shape: 'table', columns: { type: 'kind' } }

export const tsv: Format = { ...csv, name: 'tsv', dialect: { delimiter: '\t', quote: '"' } }
