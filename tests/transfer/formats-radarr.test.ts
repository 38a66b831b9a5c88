import { expect, test } from 'bun:test'
import { openContent, outcomes } from '../support/reading'

test('an answer of Radarr has the release in cinemas and a poster', async () => {
  const movie = {
    title: 'Heat',
    originalTitle: 'Heat',
    sortTitle: 'heat',
    overview: 'A text.',
    inCinemas: '1995-12-15T00:00:00Z',
    releaseDate: '1999-07-27T00:00:00Z',
    year: 1995,
    runtime: 170,
    imdbId: 'tt0113277',
    tmdbId: 949,
    genres: ['Crime', 'Drama'],
    images: [
      { coverType: 'fanart', remoteUrl: 'https://example.com/fanart.jpg' },
      { coverType: 'poster', url: '/1/poster.jpg', remoteUrl: 'https://example.com/poster.jpg' },
    ],
    id: 1,
  }
  const bare = {
    title: 'Ran',
    inCinemas: null,
    year: 1985,
    runtime: 0,
    imdbId: '',
    genres: [],
    images: [],
    overview: '',
  }
  const content = JSON.stringify([movie, bare], null, 1)
  const source = await openContent(content, { map: { tmdbId: 'external_id' } })
  expect(source).toMatchObject({
    format: 'radarr',
    unit: 'element',
    unusedColumns: ['originalTitle', 'sortTitle', 'releaseDate', 'id'],
  })
  expect(await outcomes(content, { map: { tmdbId: 'external_id' } })).toEqual([
    {
      title: 'Heat',
      year: 1995,
      runtime: '170 mins',
      genres: ['Crime', 'Drama'],
      release_date: '1995-12-15',
      synopsis: 'A text.',
      poster: 'https://example.com/poster.jpg',
      imdb_id: 'tt0113277',
      external_id: '949',
    },
    { title: 'Ran', year: 1985 },
  ])
})
