import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSource } from '../../src/transfer/open'
import { openContent, outcome } from '../support/reading'

const files = {
  'all_movies.csv': [
    '"id","name","parent_id","date"',
    '"2","Ariel",\\N,"1988-10-21"',
    '"3","The \\"Teddy\\" Bears, \\\\ part 2",\\N,"1907-03-02"',
    '"4","Gears of War",\\N,\\N',
    '"5","broken" x,\\N,\\N',
  ],
  'movie_details.csv': [
    '"movie_id","runtime","budget","revenue","homepage"',
    '"2","69","0","0",""',
    '"3","0","0","0","a',
    'b"',
    '"4","1"',
  ],
  'movie_categories.csv': [
    '"movie_id","category_id"',
    '"2","18"',
    '"2","17"',
    '"3","35"',
    '"2","44"',
    '"2","1"',
  ],
  'category_names.csv': [
    '"category_id","name","language_iso_639_1"',
    '"1","Genre","en"',
    '"17","Mood","en"',
    '"18","Drama","de"',
    '"18","Drama film","en"',
    '"18","Dramatic","en"',
    '"35","Comedy","en"',
    '"44","Sozialdrama","de"',
  ],
  'all_categories.csv': [
    '"id","parent_id","root_id"',
    '"1",\\N,"1"',
    '"17","2","2"',
    '"18","1","1"',
    '"35","1","1"',
    '"44","18","1"',
  ],
}
const options = { map: new Map<string, string>(), articles: 'keep', extraGenres: 'reject' } as const
let folder = ''
const open = (path: string, map: Record<string, string> = {}) =>
  openSource(path, new ReadableStream(), { ...options, map: new Map(Object.entries(map)) })

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'redlight-omdb-org-'))
  for (const [name, lines] of Object.entries(files))
    await Bun.write(join(folder, name), `${lines.join('\n')}\n`)
})
afterAll(() => rm(folder, { recursive: true }))

test('a folder of omdb.org has runtimes and genres in files of their own', async () => {
  const source = await open(folder, { id: 'external_id' })
  expect(source).toMatchObject({ format: 'omdb-org', unusedColumns: ['parent_id'] })
  const rows = await Array.fromAsync(source.rows)
  await source.close()
  expect(rows.map(outcome)).toEqual([
    ['row: columns'],
    {
      title: 'Ariel',
      runtime: '69 mins',
      genres: ['Drama film'],
      release_date: '1988-10-21',
      external_id: '2',
    },
    {
      title: 'The "Teddy" Bears, \\ part 2',
      genres: ['Comedy'],
      release_date: '1907-03-02',
      external_id: '3',
    },
    { title: 'Gears of War', external_id: '4' },
    ['row: quote'],
  ])
  expect(rows[0]?.problems[0]?.message).toBe('must have 5 columns (in movie_details.csv)')
})

test('one file of it, another folder, or one that is incomplete is refused', async () => {
  await expect(open(join(folder, 'all_movies.csv'))).rejects.toThrow('name their folder')
  await expect(openContent(files['all_movies.csv'].join('\n'))).rejects.toThrow('name their folder')
  await expect(open(tmpdir())).rejects.toThrow('is a folder: name a file')
  await rm(join(folder, 'category_names.csv'))
  await expect(open(folder)).rejects.toThrow('category_names.csv (ENOENT)')
})
