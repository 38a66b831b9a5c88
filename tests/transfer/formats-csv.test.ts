import { describe, expect, test } from 'bun:test'
import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { createCellReader } from '../../src/transfer/cells'
import { openContent, outcome, outcomes, readContent } from '../support/reading'

const heat = { title: 'Heat', year: 1995 }
const ran = { title: 'Ran', year: 1985 }

describe('a table', () => {
  test('is read whatever its delimiter, line ends, mark and blanks', async () => {
    for (const delimiter of [',', ';', '\t'])
      for (const end of ['\n', '\r\n', '\r\r\n', '\r'])
        for (const mark of ['', '\ufeff'])
          for (const pieces of [1, 7, 1000]) {
            const lines = ['', 'Title,Release Date,YEAR', ' Heat ,,1995', '', ' "Ran",,1985', ',,'].join(end)
            const content = mark + lines.replaceAll(',', delimiter)
            expect(await outcomes(content, { pieces })).toEqual([heat, ran])
          }
  })

  test('has a header of any length, and delimiters within quotes don’t count', async () => {
    const long = `title,${'x'.repeat(3000)}\r\n"Heat",\r\n`
    for (const pieces of [3006, 3007, 3008, 3009])
      expect(await outcomes(long, { pieces })).toEqual([{ title: 'Heat' }])
    expect(await outcomes('"a;b;c;d",title\nx,Heat\n')).toEqual([{ title: 'Heat' }])
  })

  test('keeps what stands within quotes', async () => {
    const content =
      'title;year\r\n"A ""b"";\r\nc";1995\r\n5\'10" tall;1985\r\n"";1985\r\n \t"A\r\r\nb";1985\r\r\n'
    expect(await readContent(content)).toMatchObject([
      { line: 2, fields: { title: 'A "b";\r\nc', year: 1995 } },
      { line: 4, fields: { title: '5\'10" tall', year: 1985 } },
      { line: 5, fields: { year: 1985 } },
      { line: 6, fields: { title: 'A\r\r\nb', year: 1985 } },
    ])
  })

  test('counts the lines that its rows begin at, and says which format it is', async () => {
    const source = await openContent('title,year,Oscars,\n"a\nb",1995,3,\n\nRan,1985,1,\n')
    expect({ ...source, rows: [] }).toMatchObject({
      name: 'standard input',
      format: 'csv',
      unit: 'line',
      unusedColumns: ['Oscars'],
    })
    expect((await Array.fromAsync(source.rows)).map(({ line }) => line)).toEqual([2, 5])
  })

  test('rejects the rows that are broken, and reads the next ones', async () => {
    const content = [
      'title,year',
      'Heat,1995,extra',
      'Heat',
      '"Heat" ,1995',
      '"Open,1995',
      '3,"closed elsewhere"',
      `${'x'.repeat(1_048_577)},1995`,
      `"${'x\n'.repeat(600_000)}",1995`,
      'Heat,1995',
      '"open to the end,1985',
      'Ran,1985',
    ].join('\n')
    for (const pieces of [65_536, 3_000_000]) {
      const rows = await readContent(content, { pieces })
      expect(rows.map((row) => [row.line, outcome(row)])).toEqual([
        [2, ['row: columns']],
        [3, ['row: columns']],
        [4, ['row: quote']],
        [5, ['row: quote']],
        [7, ['row: too long']],
        [8, ['row: too long']],
        [600_009, heat],
        [600_010, ['row: quote']],
      ])
      expect(rows[3]).toMatchObject({ fields: {}, text: '"Open,1995' })
      expect(rows[0]?.problems[0]?.message).toBe('must have 2 columns, as the header has, not 3')
    }
  })

  test('ends where a quote swallows more than a row may have', async () => {
    const source = await openContent(`title,year\nHeat,1995\n"Ran,1985\n${'x,1\n'.repeat(300_000)}`)
    const rows = source.rows[Symbol.asyncIterator]()
    expect(outcome((await rows.next()).value)).toEqual(heat)
    await expect(rows.next()).rejects.toThrow('the quote that opens in the row at line 3 is never closed')
  })

  test('of nothing usable is refused with a word on why', async () => {
    for (const [content, message, map] of [
      ['', 'standard input is empty'],
      [' \n\n', 'standard input is empty'],
      [
        'name,year\nHeat,1995\n',
        'nothing in standard input is the title: name its column, such as --map "name"=title; columns are "name", "year"',
      ],
      [
        'title,Title,year\n',
        'two columns for title, "title" and "Title": choose one, such as --map "Title"=title',
      ],
      ['title,title\n', 'two columns for title, "title" and "title": rename one of them'],
      ['title,"year\n', 'the header of standard input, at line 1, has a quote that is never closed'],
      [`title${',x'.repeat(1000)}\n`, 'has 1001 columns; at most 1000'],
      ['x'.repeat(1_100_000), 'is not a table: it has no header within its first 1 MiB'],
      ['tit\xe9,year\n', 'must be valid UTF-8'],
      [
        'name,year\n',
        '--map: there is no column "nam", did you mean "name"? There are "name", "year"',
        { nam: 'title' },
      ],
      ['name,year\n', '"titel" is not a field, did you mean "title"?', { name: 'titel' }],
      [
        'name,year\n',
        '--map names two columns for title: "name" and "year"',
        { name: 'title', year: 'title' },
      ],
    ] as const)
      await expect(openContent(Buffer.from(content, 'latin1'), { map })).rejects.toThrow(message)
    expect(await outcomes('title,year\n')).toEqual([])
    expect(await outcomes('title,year')).toEqual([])
  })

  test('takes columns by --map, which wins over their own names', async () => {
    const content = 'Film Name,title,year\nHeat,Hitze,1995\n'
    expect(await outcomes(content, { map: { 'Film Name': 'title' } })).toEqual([heat])
    expect(await outcomes(content, { map: { 'film name': 'title', title: 'director' } })).toEqual([
      { ...heat, director: 'Hitze' },
    ])
    const source = await openContent(content, { map: { 'Film Name': 'title' } })
    expect(source.unusedColumns).toEqual(['title'])
  })

  test('counts rows of another kind as no movies', async () => {
    const content = 'title,type\nHeat,Movie\nER,TV Series\nX,short\nY,tvEpisode\nZ,Video Game\nW,show\nV,\n'
    expect(await outcomes(content)).toEqual([
      { title: 'Heat' },
      'not_movie',
      { title: 'X' },
      'not_movie',
      'not_movie',
      'not_movie',
      { title: 'V' },
    ])
  })

  test('that our own export wrote is taken as it is', async () => {
    const header =
      'id,title,year,runtime,genres,director,cast,release_date,synopsis,poster,imdb_id,external_id,created_by,version'
    const content = `${header}\n7,N/A,1995,107 mins,"[""a"",""a""]",nan,[],,"\n x ",,,a,1,3\n8,B,1995,,[,,,,,,,,1,1\n`
    const rows = await readContent(content)
    expect(rows.map(({ exported }) => exported)).toEqual([
      { id: 7, version: 3 },
      { id: 8, version: 1 },
    ])
    expect(rows.map(outcome)).toEqual([
      {
        title: 'N/A',
        year: 1995,
        runtime: '107 mins',
        genres: ['a', 'a'],
        director: 'nan',
        cast: [],
        synopsis: '\n x ',
        external_id: 'a',
      },
      ['genres: type'],
    ])
    // With --map it is a table as any other.
    expect(await readContent(content, { map: { id: 'external_id' } })).toMatchObject([
      { fields: { external_id: '7', genres: ['a'], synopsis: 'x' } },
      { fields: { external_id: '8', genres: ['['] } },
    ])
  })
})

describe('the cells of a record', () => {
  const text = fc.string({
    unit: fc.constantFrom('a', 'é', '"', ',', ';', '\n', '\r', ' ', '\\', '😀'),
    maxLength: 8,
  })
  const quoted = (cell: string) => `"${cell.replaceAll('"', '""')}"`
  const written = fc
    .array(fc.tuple(text, fc.boolean()), { minLength: 1, maxLength: 6 })
    .map((cells) =>
      cells.map(([cell, isQuoted]) => (isQuoted || /[",\n\r]/.test(cell) ? quoted(cell) : cell)),
    )

  test('are those that csv-parse finds, however the record is cut into pieces', () => {
    const property = fc.property(written, fc.nat(40), (cells, cut) => {
      const record = cells.join(',')
      const reader = createCellReader({ delimiter: ',', quote: '"' })
      reader.read(record.slice(0, cut))
      reader.read(record.slice(cut))
      const [expected] = parse(`${record}\n`, { record_delimiter: '\n', skip_empty_lines: false })
      expect(reader.isOpen()).toBe(false)
      expect(reader.isBroken()).toBe(false)
      expect(reader.end()).toEqual(expected ?? [''])
    })
    fc.assert(property, { numRuns: 1000 })
  })
})
