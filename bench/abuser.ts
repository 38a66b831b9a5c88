import { connect } from 'node:net'
import { createRandom } from './random'

// A hostile client that stays within the limits. It runs in a separate process, so that its work doesn't slow the other
// client down by slowing the bench: `bun bench/abuser.ts KIND PORT TOKEN ADDRESS ROWS GENRE`. Runs until killed.

const [kind = '', port = '', token = '', address = '', rows = '', genre = ''] = process.argv.slice(2)
const PER_SECOND = 20
const AT_ONCE = 40
const UNREAD = 140
const MIB = 1_048_576
const origin = `http://127.0.0.1:${port}`
const headers = {
  Authorization: `Bearer ${token}`,
  'Content-Type': 'application/json',
  'X-Forwarded-For': address,
}
const LARGEST_PAGE = '/v1/movies?created_by=me&genres=heaviest&page_size=100'
const random = createRandom(Date.now() % 1e6)

async function ask(method: string, path: string, body?: string) {
  try {
    const response = await fetch(origin + path, { method, headers, body })
    await response.arrayBuffer()
  } catch {
    // The server may cut it off.
  }
}
const read = (path: string) => () => void ask('GET', path)
const post = (body: () => string) => () => void ask('POST', '/v1/movies', body())
const emoji = (count: number) => '\u{1F3AC}'.repeat(count)

const keys = `{${Array.from({ length: 90_000 }, (_, i) => `"k${i}":1`).join()}}`
const nested = `{"cast":[${Array(Math.floor(MIB / 60)).fill('['.repeat(29) + ']'.repeat(29))}]}`
let movies = 0
const heaviest = () => {
  const mark = `${process.pid} ${++movies}`.padStart(20, '-')
  const cast = Array.from({ length: 100 }, (_, i) => `${emoji(190)} ${String(i).padStart(3, '0')}`)
  const title = `${emoji(480)}${mark}`
  const more = { genres: ['unwanted'], director: emoji(500), cast, synopsis: emoji(10_000) }
  return JSON.stringify({ title, year: 2001, runtime: '100 mins', ...more })
}

/** Never reads the response, and keeps the connection. */
function openUnread() {
  const socket = connect(Number(port), '127.0.0.1')
  socket.pause()
  socket.on('error', () => {})
  socket.on('close', openUnread)
  const lines = Object.entries({ Host: 'localhost', ...headers }).map(([name, value]) => `${name}: ${value}`)
  socket.write([`GET ${LARGEST_PAGE} HTTP/1.1`, ...lines, '', ''].join('\r\n'))
}

const byTitle = (query: string, from: number, to: number) => () =>
  void ask('GET', `/v1/movies?${query}sort=title&page=${random.integer(from, to)}`)
const middle = Math.floor(Number(rows) / 40)
const steady: Record<string, () => void> = {
  keys: post(() => keys),
  lists: read(LARGEST_PAGE),
  broad: byTitle(`genres=${encodeURIComponent(genre)}&`, 1, 50),
  middle: byTitle('', middle - 100, middle),
  standby: () => void ask('PUT', `/v1/users/me/favourites/${random.integer(1, Number(rows))}`),
}
const inBursts: Record<string, () => void> = { nested: post(() => nested), movies: post(heaviest) }

const once = steady[kind]
const each = inBursts[kind]
if (once !== undefined) setInterval(once, 1000 / PER_SECOND)
else if (each !== undefined)
  setInterval(() => Array.from({ length: AT_ONCE }).forEach(each), (1000 * AT_ONCE) / PER_SECOND)
else for (let i = 0; i < UNREAD; i++) openUnread()
