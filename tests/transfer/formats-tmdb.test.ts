import { expect, test } from 'bun:test'
import { openContent, outcomes } from '../support/reading'

test('a table of TMDB’s data has lists in JSON or Python', async () => {
  const content = [
    'genres,id,original_title,overview,release_date,runtime,title,imdb_id,cast',
    '"[{""id"": 28, ""name"": ""Action""}, {""id"": 12, ""name"": ""Adventure""}]",1,Avatar,A text.,2009-12-10,162.0,Avatar,tt0499549,',
    "\"[{'id': 18, 'name': 'Drama'}]\",2,300,,,0,300,,\"[{'cast_id': 1, 'name': \"\"Conan O'Brien\"\"}]\"",
    '[],3,x,,2009-12-10,,2012,,[]',
  ].join('\n')
  const source = await openContent(content)
  expect(source).toMatchObject({ format: 'tmdb', unusedColumns: ['id', 'original_title'] })
  expect(await outcomes(content)).toEqual([
    {
      title: 'Avatar',
      runtime: '162 mins',
      genres: ['Action', 'Adventure'],
      release_date: '2009-12-10',
      synopsis: 'A text.',
      imdb_id: 'tt0499549',
    },
    { title: '300', genres: ['Drama'], cast: ["Conan O'Brien"] },
    { title: '2012', release_date: '2009-12-10' },
  ])
})

test('an answer of TMDB’s API is read from its results', async () => {
  const movie = {
    id: 1,
    original_title: 'Heat',
    title: 'Heat',
    release_date: '1995-12-15',
    overview: 'x',
    genre_ids: [1],
  }
  const show = { media_type: 'tv', original_title: 'ER', title: 'ER', release_date: '' }
  const content = JSON.stringify({ page: 1, results: [movie, show], total_pages: 1 })
  expect(await outcomes(content)).toEqual([
    { title: 'Heat', release_date: '1995-12-15', synopsis: 'x' },
    'not_movie',
  ])
})
