import type { Format } from './format'

/** title.basics.tsv of IMDb's datasets, where quotes are letters. */
export const imdbTsv: Format = {
  name: 'imdb-tsv',
  shape: 'table',
  isKnownBy: ([first, second]) => first === 'tconst' && second === 'titletype',
  columns: {
    tconst: 'imdb_id',
    titletype: 'kind',
    primarytitle: 'title',
    startyear: 'year',
    runtimeminutes: 'runtime',
  },
  dialect: { delimiter: '\t' },
}
