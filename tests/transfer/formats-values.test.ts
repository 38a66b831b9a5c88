import { describe, expect, test } from 'bun:test'
import { dateFormatNamed } from '../../src/transfer/dates'
import { type Raw, readValues, type ValueOptions } from '../../src/transfer/values'

const options: ValueOptions = { articles: 'keep', extraGenres: 'reject' }
const read = (raw: Raw, more: Partial<ValueOptions> = {}) => {
  const { fields, problems } = readValues(raw, { ...options, ...more })
  return problems.length === 0 ? fields : problems.map(({ field, code }) => `${field}: ${code}`)
}
const table = (
  field: keyof Raw,
  rows: readonly (readonly [unknown, unknown])[],
  more?: Partial<ValueOptions>,
) => rows.map(([value]) => [value, Object.values(read({ [field]: value }, more))[0]])

/** Each value of a field, and what it is read as: undefined is missing. */
function expectRead(
  field: keyof Raw,
  rows: readonly (readonly [unknown, unknown])[],
  more?: Partial<ValueOptions>,
) {
  expect(table(field, rows, more)).toEqual(rows.map(([value, expected]) => [value, expected]))
}

describe('a value of a file', () => {
  test('is missing where files write so', () => {
    const nothing = ['', ' ', '\\N', 'N/A', 'nan', ' nan\t', null].map((value) => [value, undefined] as const)
    for (const field of ['year', 'runtime', 'genres', 'cast', 'director', 'release_date', 'poster'] as const)
      expectRead(field, nothing)
    expectRead('title', [
      ['', undefined],
      [' \\N', undefined],
      ['N/A', 'N/A'],
      ['nan', 'nan'],
      [null, undefined],
    ])
  })

  test('as a text is trimmed of all white space, and is nothing else than what stands there', () => {
    expectRead('title', [
      ['\u00a0\u2003\x85 Heat \x85\u3000\ufeff', 'Heat'],
      ['-30-', '-30-'],
      ['=1+1', '=1+1'],
      ['[REC]', '[REC]'],
      ['a|b / c', 'a|b / c'],
      ['Matrix, The', 'Matrix, The'],
      [300, '300'],
      [8.5, '8.5'],
      [['a', 'b'], 'a, b'],
      [true, 'title: type'],
      [{}, 'title: type'],
      [2 ** 60, 'title: type'],
      ['a\0b', 'a\0b'],
    ])
    expectRead('director', [
      ['Ethan Coen, Joel Coen', 'Ethan Coen, Joel Coen'],
      ['Ethan Coen|Joel Coen', 'Ethan Coen, Joel Coen'],
      ['["Ethan Coen", "Joel Coen"]', 'Ethan Coen, Joel Coen'],
      ["['Ethan Coen', 'Joel Coen']", 'Ethan Coen, Joel Coen'],
      [['Ethan Coen', { name: 'Joel Coen' }], 'Ethan Coen, Joel Coen'],
      ['[Unknown]', '[Unknown]'],
      ["['Ethan Coen'", "['Ethan Coen'"],
      ["['Ethan Coen]", 'director: type'],
      [[['x']], 'director: type'],
    ])
  })

  test('as a year is one in brackets or with a zero behind, too', () => {
    expectRead('year', [
      ['1995', 1995],
      [' (1995) ', 1995],
      ['1995.0', 1995],
      [1995, 1995],
      ['3', 3],
      ['-1', -1],
      ['1995-96', 'year: type'],
      ['95.5', 'year: type'],
      [1995.5, 'year: type'],
      ['MCMXCV', 'year: type'],
    ])
  })

  test('as a runtime is minutes in any of these forms', () => {
    const forms = ['97', '97.0', '097', '97 min', '97 mins', '97min', '97m', '97 m', "97'", 97, '97 MIN']
    const withHours = [
      '1h 37m',
      '1h37',
      '1h37m',
      '1 h 37 min',
      '1H 37M',
      '01:37:00',
      '1:37:00',
      'PT1H37M',
      'PT97M',
    ]
    expectRead('runtime', [
      ...[...forms, ...withHours].map((form) => [form, '97 mins'] as const),
      ['2h', '120 mins'],
      ['01:36:31', '97 mins'],
      ['100001', '100001 mins'],
      ...['0', '0.0', 0, '00:00:00', '0 min', 'PT0M'].map((form) => [form, undefined] as const),
      ...['1:37', '97.5', 97.5, '-97', '97 Minuten', 'ca. 97', '1h 75m', 'PT', '1,5h', true, []].map(
        (form) => [form, 'runtime: type'] as const,
      ),
    ])
  })

  test('as a date is one that can’t be mistaken, or the year alone', () => {
    expectRead('release_date', [
      ['1998-06-12', '1998-06-12'],
      ['1998-06-12T23:30:00.0000000Z', '1998-06-12'],
      ['1998-06-12 23:30', '1998-06-12'],
      ['1998-06-12T23:30:00-05:00', '1998-06-12'],
      ['Jun 12 1998', '1998-06-12'],
      ['12 June 1998', '1998-06-12'],
      ['June 12, 1998', '1998-06-12'],
      ['1 sept. 1998', '1998-09-01'],
      ...[
        '02/03/2001',
        '2.3.2001',
        '12/6/98',
        '1998-02-30',
        '31 June 1998',
        '12 Juin 1998',
        '19980612',
        '1998-6-1',
        '1998-13',
        98,
        19980612,
        {},
      ].map((form) => [form, 'release_date: date'] as const),
    ])
    for (const form of ['1998', '1998-06', 'June 1998', 1998])
      expect(read({ release_date: form })).toEqual({ year: 1998 })
    expect(read({ release_date: '1998', year: '1997' })).toEqual({ year: 1997 })
    expect(read({ release_date: '1998', year: 'x' })).toEqual(['year: type'])
  })

  test('as a date is read in the form of --date-format', () => {
    const year = new Date().getUTCFullYear() % 100
    const century = Math.trunc(new Date().getUTCFullYear() / 100)
    for (const [name, rows] of [
      [
        'd.m.y',
        [
          ['2.3.2001', '2001-03-02'],
          ['02.03.2001', '2001-03-02'],
          ['2.3.01', 'release_date: date'],
          ['2/3/2001', 'release_date: date'],
          ['2001-03-02', '2001-03-02'],
        ],
      ],
      [
        'm/d/y',
        [
          ['2/3/2001', '2001-02-03'],
          ['13/3/2001', 'release_date: date'],
        ],
      ],
      ['DD/MM/YYYY', [['2/3/2001', '2001-03-02']]],
      ['y/m/d', [['2001/3/2', '2001-03-02']]],
      [
        'm/d/yy',
        [
          [`2/3/${year + 5}`, `${century}${year + 5}-02-03`],
          [`2/3/${year + 6}`, `${century - 1}${year + 6}-02-03`],
          ['2/3/01', '2001-02-03'],
          ['2/3/2001', 'release_date: date'],
        ],
      ],
    ] as const)
      expectRead('release_date', rows, { dateFormat: dateFormatNamed(name) })
    for (const name of ['d.m', 'd.d.y', 'd.m/y', 'x', 'm d y', ''])
      expect(() => dateFormatNamed(name)).toThrow('such as d.m.y or m/d/yy')
  })

  test('as a list is read from any of these forms', () => {
    const forms = [
      'Drama|War',
      'Drama; War',
      'Drama;War',
      'Drama / War',
      'Drama, War',
      'Drama,War',
      '["Drama","War"]',
    ]
    const python = [
      "['Drama', 'War']",
      '["Drama", \'War\',]',
      "[{'id': 18, 'name': 'Drama'}, {'name': 'War', 'x': None, 'y': [True, 1.5e3]}]",
    ]
    const json = [
      '[{"id": 18, "name": "Drama"}, {"name": "War"}]',
      ['Drama', 'War'],
      [{ name: ' Drama ' }, 'War', ''],
    ]
    expectRead('genres', [
      ...[...forms, ...python, ...json].map((form) => [form, ['Drama', 'War']] as const),
      ['Sci-Fi', ['Sci-Fi']],
      ['Action/Adventure', ['Action/Adventure']],
      ['Action, Comedy|War', ['Action, Comedy', 'War']],
      [
        "['Rock \\'n\\' Roll', \"It's\", 'caf\\xe9', '\\u00e9\\\\']",
        ["Rock 'n' Roll", "It's", 'café', 'é\\'],
      ],
      ['[]', undefined],
      [' | ', undefined],
      ['[Drama]', 'genres: type'],
      ["[__import__('os')]", 'genres: type'],
      ["['Drama', {'id': 3}]", 'genres: type'],
      ["['Drama' 'War']", 'genres: type'],
      [`${'['.repeat(100_000)}${']'.repeat(100_000)}`, 'genres: type'],
      [{ a: 1 }, 'genres: type'],
    ])
  })

  test('in a list is kept once, and genres beyond the fifth go by --extra-genres', () => {
    expect(read({ genres: 'Drama,drama,WAR,War,DRAMA', cast: 'a,A,a' })).toEqual({
      genres: ['Drama', 'WAR'],
      cast: ['a', 'A'],
    })
    expectRead('genres', [['a,b,c,d,e,a,f', ['a', 'b', 'c', 'd', 'e', 'f']]])
    expectRead('genres', [['a,b,c,d,e,a,f', ['a', 'b', 'c', 'd', 'e']]], { extraGenres: 'cut' })
  })

  test('that can’t be read is told with what would be right', () => {
    const { problems } = readValues({ title: 'x', runtime: '1:37', release_date: '02/03/2001' }, options)
    expect(problems.map(({ message }) => message)).toEqual([
      'must be minutes, such as 97, "97 min", "1h 37m" or "01:37:00", not "1:37"',
      'must be a date such as 1998-06-12 or "June 12, 1998", or in the form given by --date-format, not "02/03/2001"',
    ])
  })

  test('as a title has its article in front with --articles front', () => {
    expectRead(
      'title',
      [
        ['Matrix, The', 'The Matrix'],
        ['White Balloon, The (Badkonake sefid)', 'The White Balloon (Badkonake sefid)'],
        [
          'City of Lost Children, The (Cité des enfants perdus, La)',
          'The City of Lost Children (La Cité des enfants perdus)',
        ],
        ['Misérables, Les', 'Les Misérables'],
        ["Avventura, L'", "L'Avventura"],
        ['American in Paris, An', 'An American in Paris'],
        ['Good, the Bad and the Ugly, The', 'The Good, the Bad and the Ugly'],
        ['Me, Myself, I', 'Me, Myself, I'],
        ['Cry, the Beloved Country', 'Cry, the Beloved Country'],
        [', The', ', The'],
      ],
      { articles: 'front' },
    )
  })
})
