import { expect, test } from 'bun:test'
import { openContent, outcomes } from '../support/reading'

test('files of Letterboxd have names and years', async () => {
  const content =
    'Date,Name,Year,Letterboxd URI,Rating\n2023-01-01,"Red, White & Royal Blue",2023,https://boxd.it/z3iG,4\n,+1,2013,https://boxd.it/x,\n'
  const source = await openContent(content)
  expect(source).toMatchObject({ format: 'letterboxd', unusedColumns: ['Date', 'Letterboxd URI', 'Rating'] })
  expect(await outcomes(content)).toEqual([
    { title: 'Red, White & Royal Blue', year: 2023 },
    { title: '+1', year: 2013 },
  ])
})

test('a list of Letterboxd begins with what the list is', async () => {
  const content = [
    'Letterboxd list export v7',
    'Date,Name,Tags,URL,Description',
    '2020-01-01,My list,,https://boxd.it/abc,"Two',
    'lines"',
    '',
    'Position,Name,Year,URL,Description',
    '1,Heat,1995,https://boxd.it/x,"A note;;;;;;;;;;;;;;;;;;;"',
    '2,Ran,1985,https://boxd.it/y,',
  ].join('\n')
  for (const pieces of [1, 50, 1000]) {
    const source = await openContent(content, { pieces })
    expect(source).toMatchObject({ format: 'letterboxd', unusedColumns: ['Position', 'URL', 'Description'] })
    expect(await Array.fromAsync(source.rows)).toMatchObject([
      { line: 7, fields: { title: 'Heat', year: 1995 } },
      { line: 8, fields: { title: 'Ran', year: 1985 } },
    ])
  }
})
