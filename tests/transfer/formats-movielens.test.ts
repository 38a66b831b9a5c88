import { expect, test } from 'bun:test'
import { openContent, outcomes } from '../support/reading'

const content = [
  'movieId,title,genres',
  '1,Toy Story (1995),Adventure|Children',
  '80,"White Balloon, The (Badkonake sefid) (1995)",Children|Drama',
  '58842,Assembly (Ji jie hao) (2007) ,Action',
  '171495,Cosmos,(no genres listed)',
  '3,(1999),Drama',
].join('\n')

test('movies.csv of MovieLens has the year in the title', async () => {
  expect((await openContent(content)).format).toBe('movielens')
  expect(await outcomes(content)).toEqual([
    { title: 'Toy Story', year: 1995, genres: ['Adventure', 'Children'] },
    { title: 'White Balloon, The (Badkonake sefid)', year: 1995, genres: ['Children', 'Drama'] },
    { title: 'Assembly (Ji jie hao)', year: 2007, genres: ['Action'] },
    { title: 'Cosmos' },
    { title: '(1999)', genres: ['Drama'] },
  ])
  const front = await outcomes(content, { articles: 'front', map: { movieId: 'external_id' } })
  expect(front[1]).toEqual({
    title: 'The White Balloon (Badkonake sefid)',
    year: 1995,
    genres: ['Children', 'Drama'],
    external_id: '80',
  })
})

test('movies.dat has no header, and is read by --format in its encoding', async () => {
  const dat = Buffer.from(
    "1::Toy Story (1995)::Animation|Children's\n2::Caf\xe9 (1990)::Drama\n3::a::b::c\n",
    'latin1',
  )
  expect(await outcomes(dat, { format: 'movielens-dat', encoding: 'latin1' })).toEqual([
    { title: 'Toy Story', year: 1995, genres: ['Animation', "Children's"] },
    { title: 'Café', year: 1990, genres: ['Drama'] },
    ['row: columns'],
  ])
  expect((await outcomes(dat, { format: 'movielens-dat' }))[1]).toEqual(['row: not utf-8'])
})
