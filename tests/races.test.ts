import { test } from 'bun:test'
import { startTestServer, aMovie } from '/work/main/tests/support/server'
test('x', async () => {
  const s = await startTestServer()
  const a = await s.newUser()
  const r = await s.request('POST', '/v1/movies', { token: a.token, body: aMovie('First') })
  console.log(r.text, r.headers.toJSON())
  for (const id of ['1','%31','1e3','01','0','-1','1.5','abc','9223372036854775807','9223372036854775808','1/','1%20','%2531', '%00','%zz','%ff','']) {
    const g = await s.request('GET', '/v1/movies/'+id, { token: a.token })
    console.log(id, g.status, g.text)
  }
  const h = await fetch(new URL('/v1/movies/1',s.url), {method:'HEAD', headers:{Authorization:'Bearer '+ a.token }}); console.log(h.status, h.headers.toJSON(), JSON.stringify(await h.text()))
  const h2 = await s.request('GET', '/v1/movies/1', { token: a.token, headers:{'If-None-Match':'"1"'} }); console.log(h2.status, h2.headers.toJSON(), JSON.stringify(h2.text))
  const h3 = await s.request('GET', '/v1/movies/1', { token: a.token, headers:{'If-None-Match':'"1"'} }); console.log(h3.status, h3.headers.toJSON(), JSON.stringify(h3.text))
  const l = await s.request('GET', '/v1/movies', { token: a.token }); console.log(l.status, l.headers.toJSON(), l.text)
  console.log((await s.request('PUT', '/v1/users/me/favourites/1', { token: a.token })).text)
  console.log((await s.request('GET', '/v1/users/me/favourites', { token: a.token })).text)
  console.log(await s.sql`select to_tsvector('simple','face/off') a, to_tsvector('simple','spider-man s.w.a.t. wall-e 9/11 u.s. tron:legacy l''avventura m*a*s*h 8½ c++ -5 2.0 mr.robot a@b.de') b`)
  console.log(await s.sql`select cp, octet_length(title_key('x'||chr(cp)||'x'))-2 n from generate_series(1,1114111) cp where cp not between 55296 and 57343 and octet_length(title_key('x'||chr(cp)||'x'))-2 > 5`.then(r=>[...r].map(x=>x.cp.toString(16)+':'+x.n).join(' ')))
  await s.stop()
}, 60000)
