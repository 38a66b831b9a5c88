import { expect, test } from 'bun:test'
import { openContent, outcomes } from '../support/reading'

test('title.basics.tsv of IMDb is read without quoting', async () => {
  const content = [
    'tconst\ttitleType\tprimaryTitle\toriginalTitle\tisAdult\tstartYear\tendYear\truntimeMinutes\tgenres',
    'tt0000009\tmovie\tMiss Jerry\tMiss Jerry\t0\t1894\t\\N\t45\tRomance,Short',
    'tt0000010\tshort\t"Rome" ""\t"\t0\t1907\t\\N\t\\N\t\\N',
    'tt0000011\ttvMovie\tTab\tless',
    'tt9999001\ttvSeries\tMake Believe\tMake Believe\t0\t1999\t2003\t45\tDrama',
    'tt9999002\ttvEpisode\tPilot\tPilot\t0\t1999\t\\N\t45\tDrama',
    'tt9999003\tvideoGame\tPong\tPong\t0\t1999\t\\N\t45\tDrama',
    'tt9999004\tvideo\tA Video\tA Video\t0\t\\N\t\\N\t0\tDrama',
  ].join('\n')
  const expected = [
    {
      title: 'Miss Jerry',
      year: 1894,
      runtime: '45 mins',
      genres: ['Romance', 'Short'],
      imdb_id: 'tt0000009',
    },
    { title: '"Rome" ""', year: 1907, imdb_id: 'tt0000010' },
    ['row: columns'],
    'not_movie',
    'not_movie',
    'not_movie',
    { title: 'A Video', genres: ['Drama'], imdb_id: 'tt9999004' },
  ]
  expect(await outcomes(content)).toEqual(expected)
  expect(await outcomes(content, { format: 'imdb-tsv' })).toEqual(expected)
  const source = await openContent(content, { map: { originalTitle: 'title' } })
  expect(source).toMatchObject({ format: 'imdb-tsv', unusedColumns: ['primaryTitle', 'isAdult', 'endYear'] })
})

test('a list of imdb.com is read as exported then and now', async () => {
  const then = [
    '"position","const","created","Title","Title type","Directors","You rated","Runtime (mins)","Year","Genres","Release Date (month/day/year)","URL"',
    '"1","tt1375666","","Inception","Feature Film","Christopher Nolan, Other","","148","2010","action, mystery, sci_fi","2010-07-08","http://x"',
    '"2","tt0903747","","Breaking Bad","TV Series","","","45","2008","crime","2008-01-20",""',
    '"3","tt0000001","","Carmencita","Short Film","","","","1894","documentary","1894-03",""',
    '"4","tt0000002","","Clown","TV Mini-Series","","","","1894","","1894",""',
  ].join('\n')
  expect((await openContent(then)).format).toBe('imdb-list')
  expect(await outcomes(then)).toEqual([
    {
      title: 'Inception',
      year: 2010,
      runtime: '148 mins',
      genres: ['action', 'mystery', 'sci_fi'],
      director: 'Christopher Nolan, Other',
      release_date: '2010-07-08',
      imdb_id: 'tt1375666',
    },
    'not_movie',
    { title: 'Carmencita', year: 1894, genres: ['documentary'], imdb_id: 'tt0000001' },
    'not_movie',
  ])
  const now = [
    'Position,Const,Created,Modified,Description,Title,Original Title,URL,Title Type,IMDb Rating,Runtime (mins),Year,Genres,Num Votes,Release Date,Directors,Your Rating,Date Rated',
    '1,tt0113277,2020-01-01,2020-01-01,my note,Heat,Heat,https://x,Movie,8.3,170,1995,"Action, Crime, Drama",1,1995-12-15,Michael Mann,,',
    '2,tt0944947,,,,GoT,GoT,,TV Series,9,60,2011,Drama,1,2011-04-17,,,',
    '3,tt0000003,,,,Podcast,Podcast,,Podcast Episode,9,60,2011,Drama,1,2011-04-17,,,',
  ].join('\r\n')
  expect(await outcomes(now)).toEqual([
    {
      title: 'Heat',
      year: 1995,
      runtime: '170 mins',
      genres: ['Action', 'Crime', 'Drama'],
      director: 'Michael Mann',
      release_date: '1995-12-15',
      imdb_id: 'tt0113277',
    },
    'not_movie',
    'not_movie',
  ])
})
