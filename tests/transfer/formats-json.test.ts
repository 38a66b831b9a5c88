import { describe, expect, test } from 'bun:test'
import { openContent, outcome, outcomes, readContent } from '../support/reading'

const heat = { title: 'Heat', year: 1995 }
const ran = { title: 'Ran', year: 1985 }
const heatJson = JSON.stringify(heat)
const ranJson = JSON.stringify(ran)

describe('JSON', () => {
  test('is read as lines, a list, the list of an object, or values one after the other', async () => {
    const pretty = [heat, ran].map((movie) => JSON.stringify(movie, null, 2))
    for (const pieces of [1, 10, 10_000])
      for (const [content, format, lines] of [
        [`\ufeff${heatJson}\r\n\n  \n${ranJson}`, 'ndjson', [1, 4]],
        [`[${heatJson},${ranJson}]`, 'json', [1, 2]],
        [`\n[\n${heatJson}\n,\n${ranJson}\n]\n`, 'json', [1, 2]],
        [`[${pretty.join(',')}]`, 'json', [1, 2]],
        [`{"metadata":{"movies":[]},"movies":[${heatJson},${ranJson}],"x":[{"y":"]"}]}\n`, 'json', [1, 2]],
        [`{\n  "movies": [\n${pretty.join(',\n')}\n ],\n "metadata": {}\n}`, 'json', [1, 2]],
        [pretty.join('\n'), 'json', [1, 2]],
      ] as const) {
        const source = await openContent(content, { pieces })
        const rows = await Array.fromAsync(source.rows)
        expect(source.format).toBe(format)
        expect(rows.map(outcome)).toEqual([heat, ran])
        expect(rows.map(({ line }) => line)).toEqual([...lines])
      }
    expect(await outcomes(heatJson)).toEqual([heat])
    expect(await outcomes(JSON.stringify(heat, null, 2))).toEqual([heat])
    expect(await outcomes('[ ]')).toEqual([])
    expect(await outcomes('{"movies":[],"metadata":{}}')).toEqual([])
  })

  test('as lines: rejects the broken ones and reads the next', async () => {
    const deep = `{"title":"x","y":${'['.repeat(32)}${']'.repeat(32)}}`
    const manyKeys = Object.fromEntries(Array.from({ length: 1001 }, (_, index) => [`k${index}`, 1]))
    const content = [
      '{"title": "cut',
      '"x"',
      '[1]',
      'null',
      deep,
      `{"title":"${'x'.repeat(1_100_000)}"}`,
      '{"title":"a\0b"}',
      '{"title":"\\u0000","year":1985}',
      '{"title":"\\ud800","year":1985}',
      '{"title":"caf\xe9","year":1985}',
      '{"Title":"a","title":"b"}',
      '{"title":"a","x":{"title":1},"t\\u0069tle":"b"}',
      '{"title":"a","x":{"title":1},"y":1,"y":2}',
      JSON.stringify(manyKeys),
      heatJson,
    ].join('\n')
    const rows = await readContent(Buffer.from(content, 'latin1'))
    expect(rows.map((row) => [row.line, outcome(row)])).toEqual([
      [1, ['row: json']],
      [2, ['row: not an object']],
      [3, ['row: not an object']],
      [4, ['row: not an object']],
      [5, ['row: too deep']],
      [6, ['row: too long']],
      [7, ['row: json']],
      [8, { title: '\0', year: 1985 }],
      [9, { title: '\ud800', year: 1985 }],
      [10, ['row: not utf-8']],
      [11, ['row: columns']],
      [12, ['row: columns']],
      [13, { title: 'a' }],
      [14, ['row: columns']],
      [15, heat],
    ])
    for (const broken of ['{"title":"x",', '{"title":"x"', '{'])
      expect(await outcomes(`${broken}\n${heatJson}\n`)).toEqual([['row: json'], heat])
    expect(rows[9]?.text).toBe('{"title":"café","year":1985}')
    expect(rows[10]?.problems[0]?.message).toBe('must not have two keys for title: "Title" and "title"')
    expect(rows[11]?.problems[0]?.message).toBe('must not have the key "title" twice')
    expect(
      await outcomes(
        '[{"title":"a","title":"b"},{"id":1,"version":1,"title":"a","title":"b"},{"title":"c"}]',
      ),
    ).toEqual([['row: columns'], ['row: columns'], { title: 'c' }])
  })

  test('as a list: rejects what it can step over, and stops where it can not', async () => {
    const deep = `{"y":${'['.repeat(32)}"]"${']'.repeat(32)}}`
    const good = `[${heatJson}, 7, "a\\"]", {"title":"caf\xe9"}, ${deep},\n`
    const rejected = ['row: not an object', 'row: not an object', 'row: not utf-8', 'row: too deep']
    for (const [rest, message] of [
      ['{"title": tru}]', 'element 6, at line 2, must be valid JSON'],
      ['{"title": "a', 'the file ends at line 2, in element 6'],
      ['{"title":\n "a', 'the file ends at line 3, in element 6, which begins at line 2'],
      [`{"title":"a"}`, 'the file ends at line 2, in element 7'],
      ['{"a":1} {"a":1}]', 'the JSON lacks a comma at line 2, in element 7'],
      ['{"a":1},]', 'the JSON is not valid at line 2, in element 7'],
      [
        `{"title":"${'x'.repeat(1_100_000)}"}]`,
        'the JSON has a value of more than 1 MiB at line 2, in element 6',
      ],
      ['{"a":1}]\n[', 'more follows the end of the list at line 3'],
    ] as const)
      for (const pieces of [5000, 2_000_000]) {
        const source = await openContent(Buffer.from(good + rest, 'latin1'), { pieces })
        const found: unknown[] = []
        const all = async () => {
          for await (const row of source.rows) found.push(outcome(row))
        }
        await expect(all()).rejects.toThrow(message)
        expect(found.slice(0, 5)).toEqual([heat, ...rejected.map((each) => [each])])
      }
  })

  test('has the API’s keys in any case, numbers as texts and minutes, and other keys by --map', async () => {
    const movie = { id: 3, Title: 300, runtime: 97, 'release date': '2007', created_by: {}, Oscars: 1, n: 5 }
    const source = await openContent(JSON.stringify(movie), { map: { n: 'external_id' } })
    expect(source.unusedColumns).toEqual(['Oscars'])
    expect((await Array.fromAsync(source.rows)).map(outcome)).toEqual([
      { title: '300', year: 2007, runtime: '97 mins', external_id: '5' },
    ])
    await expect(openContent('{"title":"x"}', { map: { n: 'year' } })).rejects.toThrow(
      '--map: there is no column "n"; there are "title"',
    )
    await expect(openContent('{"name":"x"}\n{"year":1}')).rejects.toThrow('columns are "name", "year"')
    await expect(openContent('{"title":"x","TITLE":""}')).rejects.toThrow('two columns for title')
    await expect(openContent('{}')).rejects.toThrow('columns are none')
    // What an empty list would have named isn't known.
    for (const nothing of ['[]', '{"movies":[]}'])
      expect(await outcomes(nothing, { map: { n: 'title' } })).toEqual([])
    expect(await outcomes('[7]', { map: { n: 'title' } })).toEqual([['row: not an object']])
    // A key that only a later object has.
    const late = `${'{"title":"a"}\n'.repeat(500)}{"n":"b","x":1}\n`
    expect((await outcomes(late, { map: { n: 'title' } })).at(-1)).toEqual({ title: 'b' })
  })

  test('with a title is a movie, whatever lists it has, and not their container', async () => {
    const lists = [{ movies: [] }, { items: [{ x: 1 }] }, { Results: [{ title: 'x' }] }]
    for (const list of lists)
      for (const movie of [
        { ...heat, ...list },
        { ...list, ...heat },
      ])
        for (const pieces of [1, 1000]) {
          const lines = `${JSON.stringify(movie)}\n${ranJson}\n`
          expect(await outcomes(lines, { pieces })).toEqual([heat, ran])
          expect(await outcomes(JSON.stringify(movie, null, 2), { pieces })).toEqual([heat])
          const named = JSON.stringify(movie).replace('"title":"Heat"', '"Name":"Heat"')
          expect(await outcomes(named, { pieces, map: { name: 'title' } })).toEqual([heat])
        }
    const long = `{"items":[${`${ranJson},`.repeat(3000)}${ranJson}],"title":"all of them"}`
    expect(await outcomes(long)).toHaveLength(3001)
  })

  test('keeps a number that is a text as it is written', async () => {
    const movie = '{"title":2.0,"year":1995.0,"runtime":97.0,"director":1e2,"id":1.10}'
    const fields = { title: '2.0', year: 1995, runtime: '97 mins', director: '1e2', external_id: '1.10' }
    const map = { id: 'external_id' }
    expect(await outcomes(`[${movie}]`, { map })).toEqual([fields])
    expect(await outcomes('{"title":9007199254740993}')).toEqual([['title: type']])
    expect(await outcomes('{"line":1,"errors":{},"row":{"title":7.50}}')).toEqual([{ title: '7.50' }])
  })

  test('that our own export wrote is taken as it is, null apart', async () => {
    const own = {
      id: 1,
      title: 'N/A',
      cast: [],
      genres: ['a', 'a'],
      director: 'nan',
      poster: null,
      version: 2,
    }
    const rows = await readContent(`${JSON.stringify(own)}\n${heatJson}`)
    expect(rows).toMatchObject([{ exported: { id: 1, version: 2 } }, { fields: heat }])
    expect(rows[0]?.fields).toEqual({ title: 'N/A', cast: [], genres: ['a', 'a'], director: 'nan' })
  })

  test('of a reject file is read by the command that wrote it', async () => {
    const lines = [
      { line: 17, errors: { title: 'x' }, row: { ...heat, release_date: '1995-12-15' } },
      { line: 18, errors: { row: 'x' }, row: null, text: 'Heat,,,' },
    ]
    const content = lines.map((line) => JSON.stringify(line)).join('\n')
    for (const options of [{}, { format: 'imdb-tsv', encoding: 'utf-16le', map: { Name: 'title' } }])
      expect(await outcomes(content, options)).toEqual([
        { ...heat, release_date: '1995-12-15' },
        ['row: not an object'],
      ])
    // Of another file, only one of these keys may be the first.
    const own = ['{"line":1,"Name":"Heat"}', '{"line":1,"errors":{},"Name":"Heat"}']
    for (const line of own)
      expect(await outcomes(line, { map: { Name: 'title' } })).toEqual([{ title: 'Heat' }])
    // Longer than what the kind of a file is usually known by, and written again by another program.
    const long = { line: 17, errors: { title: 'x'.repeat(3000) }, row: heat }
    const spaced = JSON.stringify(long).replaceAll(/(?<=[:,])/g, ' ')
    expect(await outcomes(spaced, { map: { Name: 'title' }, pieces: 500 })).toEqual([heat])
  })
})
