import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { appendFile, mkdtemp, rm, truncate, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { openSource } from '../../src/transfer/open'
import { openContent, outcome, outcomes } from '../support/reading'

const table = 'title,year\nHeat,1995\nCafé,1985\n'
const heat = { title: 'Heat', year: 1995 }
const cafe = { title: 'Café', year: 1985 }
const options = { map: new Map<string, string>(), articles: 'keep', extraGenres: 'reject' } as const

let folder = ''
const open = (path: string) => openSource(path, new ReadableStream(), options)
async function fileOf(content: string | Uint8Array): Promise<string> {
  const path = join(folder, 'movies.csv')
  await Bun.write(path, content)
  return path
}
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'redlight-opening-'))
})
afterAll(() => rm(folder, { recursive: true }))

describe('a file', () => {
  test('is read to its end, and says how far', async () => {
    const source = await open(await fileOf(table))
    expect(source.name).toBe('movies.csv')
    expect((await Array.fromAsync(source.rows)).map(outcome)).toEqual([heat, cafe])
    expect(source.position()).toEqual({ bytes: 32, totalBytes: 32 })
    await source.close()
  })

  test('may be gzip, in several members', async () => {
    const members = Buffer.concat([gzipSync(table), gzipSync(''), gzipSync('Ran,1985\n')])
    const source = await open(await fileOf(members))
    expect((await Array.fromAsync(source.rows)).map(outcome)).toEqual([
      heat,
      cafe,
      { title: 'Ran', year: 1985 },
    ])
    expect(source.position()).toEqual({ bytes: members.length, totalBytes: members.length })
    await source.close()
    expect(await outcomes(gzipSync('{"title":"Heat"}'))).toEqual([{ title: 'Heat' }])
  })

  const whole = gzipSync(
    `title,year\n${Array.from({ length: 60_000 }, (_, index) => `Movie ${index} ${Math.sin(index)},1995\n`).join('')}`,
  )

  test('that is gzip says how far it is unpacked, however much of it is read ahead', async () => {
    const source = await open(await fileOf(whole))
    let count = 0
    for await (const _ of source.rows) {
      if (++count % 10_000 > 0 || count === 60_000) continue
      const { bytes, totalBytes = 0 } = source.position()
      expect(bytes / totalBytes).toBeGreaterThanOrEqual(count / 60_000 - 0.01)
      expect(bytes / totalBytes).toBeLessThan(count / 60_000 + 0.2)
    }
    await source.close()
  })

  test('that is a damaged gzip is read up to there', async () => {
    const damaged = Buffer.from(whole)
    damaged.fill(0, whole.length - 2000, whole.length - 1000)
    for (const [content, message] of [
      [whole.subarray(0, -1000), 'standard input is incomplete: its gzip data ends before its end'],
      [damaged, "standard input is damaged: its gzip data isn't valid"],
    ] as const) {
      const source = await openContent(content, { pieces: 65_536 })
      let count = 0
      const all = async () => {
        for await (const _ of source.rows) count++
      }
      await expect(all()).rejects.toThrow(message)
      expect(count).toBeGreaterThan(1000)
    }
    await expect(openContent(whole.subarray(0, 12))).rejects.toThrow('is incomplete')
  })

  test('that grows, is cut short or overwritten while it is read doesn’t give a row of two halves', async () => {
    const rows = `Movie,1995\n`.repeat(100_000)
    for (const change of [
      (path: string) => appendFile(path, 'Half a ro'),
      (path: string) => truncate(path, 300_005),
      // Of the same length, but with its rows at other places.
      (path: string) => writeFile(path, `title,year\n${'Film,1995\n'.repeat(110_000)}`),
    ]) {
      const path = await fileOf(`title,year\n${rows}`)
      const source = await open(path)
      const titles = new Set<unknown>()
      const all = async () => {
        let isChanged = false
        for await (const { fields } of source.rows) {
          titles.add(fields.title)
          if (!isChanged) await change(path)
          isChanged = true
        }
      }
      await expect(all()).rejects.toThrow('changed while it was read; import it again once it is complete')
      expect([...titles]).toEqual(['Movie'])
      await source.close()
    }
  })

  test('that vanishes while it is read is read to its end', async () => {
    const path = await fileOf(table)
    const source = await open(path)
    await unlink(path)
    expect((await Array.fromAsync(source.rows)).length).toBe(2)
    await source.close()
    await expect(open(path)).rejects.toThrow('movies.csv (ENOENT): no such file or folder')
  })

  test('can be let go of in its midst', async () => {
    const source = await open(await fileOf(gzipSync(`title\n${'x\n'.repeat(1_000_000)}`)))
    for await (const _ of source.rows) break
    await source.close()
    // Nothing more ever comes from this input.
    const endless = await openSource(
      '-',
      new ReadableStream({ start: (to) => to.enqueue(Buffer.from('title\nx\ny\n')) }),
      options,
    )
    const rows = endless.rows[Symbol.asyncIterator]()
    await rows.next()
    void rows.next()
    await endless.close()
  })
})

describe('an encoding', () => {
  test('is UTF-8, or the one that is named', async () => {
    const western = Buffer.from('title,year\nHeat,1995\nCaf\xe9,1985\n', 'latin1')
    const wide = Buffer.from(table, 'utf16le')
    const mark = Buffer.of(0xff, 0xfe)
    for (const [content, encoding] of [
      [western, 'latin1'],
      [western, 'ISO-8859-1'],
      [western, 'windows-1252'],
      [wide, 'utf-16le'],
      [Buffer.concat([mark, wide]), 'UTF-16LE'],
      [gzipSync(Buffer.concat([mark, wide])), 'utf-16le'],
      [Buffer.from(table), 'UTF8'],
    ] as const)
      for (const pieces of [1, 1000])
        expect(await outcomes(content, { encoding, pieces })).toEqual([heat, cafe])
    for (const pieces of [1, 2, 3, 18])
      expect(await outcomes(Buffer.from('title\n😀', 'utf16le'), { encoding: 'utf-16le', pieces })).toEqual([
        { title: '😀' },
      ])
    expect(await outcomes(Buffer.from('title\n\x80uro \x93x\x94', 'latin1'), { encoding: 'cp1252' })).toEqual(
      [{ title: '€uro “x”' }],
    )
    expect(await outcomes(Buffer.from('[{"title":"é"}]', 'utf16le'), { encoding: 'utf-16le' })).toEqual([
      { title: 'é' },
    ])
  })

  test('is never guessed: what isn’t in it is rejected, with the hint', async () => {
    const content = Buffer.from(
      'title,year\nHeat,1995\nCaf\xe9,1985\n"Caf\xe9\nx",1985\nCafé,1985\n',
      'latin1',
    )
    const source = await openContent(content)
    const rows = await Array.fromAsync(source.rows)
    expect(rows.map(outcome)).toEqual([heat, ['row: not utf-8'], ['row: not utf-8'], ['row: not utf-8']])
    expect(rows[1]).toMatchObject({ text: 'Café,1985' })
    expect(rows[1]?.problems[0]?.message).toContain('--encoding, such as windows-1252')
    const surrogate = Buffer.from('title,year\n\ud800x,1995\nHeat,1995\n', 'utf16le')
    for (const odd of ['', '\n'])
      expect(await outcomes(Buffer.concat([surrogate, Buffer.from(odd)]), { encoding: 'utf-16le' })).toEqual([
        ['row: not utf-8'],
        heat,
        ...(odd === '' ? [] : [['row: not utf-8']]),
      ])
    await expect(openContent(table, { encoding: 'ebcdic' })).rejects.toThrow(
      'is not one of utf-8, windows-1252, latin1, utf-16le',
    )
    await expect(openContent(`\ufeff${table}`, { encoding: 'latin1' })).rejects.toThrow(
      'is marked as UTF-8: leave out --encoding latin1',
    )
  })
})

describe('a file of another kind', () => {
  test('is refused by its name', async () => {
    const xlsx = 'PK\x03\x04\x14\0\x06\0\x08\0\0\0!\0bX[Content_Types].xml \xa2'
    for (const [content, message] of [
      [xlsx, "is an Excel workbook (xlsx), which can't be imported: save it as CSV"],
      ['PK\x03\x04\x14\0movies.csv', "is a zip file, which can't be imported: unpack it first"],
      ['\xd0\xcf\x11\xe0\xa1\xb1', 'is an Excel workbook (xls)'],
      ['BZh91AY', 'is a bzip2 file'],
      ['%PDF-1.7', 'is a PDF document'],
      ['SQLite format 3\0', 'is an SQLite database'],
      ['\xef\xbb\xbf<?xml version="1.0"?>', 'is an XML document'],
      ['  <rss>', 'is an XML document'],
      ['\n<!DOCTYPE html><title>404</title>', 'is an HTML page'],
      ['<HTML>', 'is an HTML page'],
      ['\xff\xfet\0i\0', 'is encoded in UTF-16: import it with --encoding utf-16le'],
      ['t\0i\0t\0l\0e\0', 'is encoded in UTF-16: import it with --encoding utf-16le'],
      ['\xfe\xff\0t', "is encoded in UTF-16 (big-endian), which can't be imported: convert it to UTF-8"],
      ['\0t\0i\0t', 'is encoded in UTF-16 (big-endian)'],
      [gzipSync(gzipSync('x')).toString('latin1'), 'is a gzip file within a gzip file'],
    ] as const)
      for (const pieces of [1, 1000])
        await expect(openContent(Buffer.from(content, 'latin1'), { pieces })).rejects.toThrow(message)
    for (const [content, format, message] of [
      [table, 'ndjson', 'is not JSON: it begins neither with { nor with ['],
      [table, 'cvs', '--format "cvs" is not one of imdb-tsv, '],
      [table, 'imdb', 'did you mean "imdb-'],
    ] as const)
      await expect(openContent(content, { format })).rejects.toThrow(message)
    expect(
      await outcomes('[title],{year}\nHeat,1995\n', { format: 'csv', map: { '[title]': 'title' } }),
    ).toEqual([{ title: 'Heat' }])
  })
})
