import { expect, test } from 'bun:test'
import { openContent, outcomes } from '../support/reading'

test('an answer of Jellyfin has runtimes in ticks and the people of a movie', async () => {
  const movie = {
    Name: 'Heat',
    ServerId: 'x',
    Id: 'y',
    Type: 'Movie',
    ProductionYear: 1995,
    PremiereDate: '1995-12-15T00:00:00.0000000Z',
    RunTimeTicks: 102_243_840_000,
    Overview: 'A text.',
    Genres: ['Crime', 'Drama'],
    ProviderIds: { Tmdb: '949', Imdb: 'tt0113277' },
    People: [
      { Name: 'Al Pacino', Role: 'Vincent', Type: 'Actor' },
      { Name: 'Michael Mann', Type: 'Director' },
      { Name: 'Art Linson', Type: 'Producer' },
      { Name: 'Robert De Niro', Type: 'Actor' },
    ],
  }
  const items = [
    movie,
    { Name: 'ER', Type: 'Series' },
    { Name: 'Box', Type: 'BoxSet' },
    { Name: 'Ran', Type: 'Movie' },
  ]
  const content = JSON.stringify({ Items: items, TotalRecordCount: 4, StartIndex: 0 })
  const source = await openContent(content)
  expect(source).toMatchObject({ format: 'jellyfin', unusedColumns: ['ServerId', 'Id'] })
  expect(await outcomes(content)).toEqual([
    {
      title: 'Heat',
      year: 1995,
      runtime: '170 mins',
      genres: ['Crime', 'Drama'],
      director: 'Michael Mann',
      cast: ['Al Pacino', 'Robert De Niro'],
      release_date: '1995-12-15',
      synopsis: 'A text.',
      imdb_id: 'tt0113277',
    },
    'not_movie',
    'not_movie',
    { title: 'Ran' },
  ])
})
