import { expect, test } from 'bun:test'
import { openContent, outcomes } from '../support/reading'

test('the table of Netflix titles has movies and shows', async () => {
  const content = [
    'show_id,type,title,director,cast,country,date_added,release_year,rating,duration,listed_in,description',
    's1,Movie,Heat,Michael Mann,"Al Pacino, Robert De Niro",United States,"September 25, 2021",1995,R,170 min,"Dramas, Thrillers",A text.',
    's2,TV Show,Dark,,Louis Hofmann,Germany,,2017,TV-MA,3 Seasons,Thrillers,x',
    's3,Movie,Louis C.K. 2017,Louis C.K.,Louis C.K.,United States,"April 4, 2017",2017,74 min,,Movies,y',
  ].join('\n')
  expect((await openContent(content)).format).toBe('netflix')
  expect(await outcomes(content)).toEqual([
    {
      title: 'Heat',
      year: 1995,
      runtime: '170 mins',
      genres: ['Dramas', 'Thrillers'],
      director: 'Michael Mann',
      cast: ['Al Pacino', 'Robert De Niro'],
      synopsis: 'A text.',
    },
    'not_movie',
    {
      title: 'Louis C.K. 2017',
      year: 2017,
      genres: ['Movies'],
      director: 'Louis C.K.',
      cast: ['Louis C.K.'],
      synopsis: 'y',
    },
  ])
})
