import { change, dataOf, search, signIn } from './client.mts'

const [baseUrl = 'http://localhost:4000', email = '', password = ''] = process.argv.slice(2)
const client = await signIn(baseUrl, email, password)
for await (const { id, title, year } of search(client, { genres: 'animation' })) console.log(id, title, year)

const body = { title: `My Holiday of ${Date.now()}`, year: 2026, runtime: '12 mins', genres: ['documentary'] }
const { movie } = dataOf(await client.POST('/v1/movies', { body }))
console.log(await change(client, movie.id, ({ title }) => ({ synopsis: `All of ${title}.` })))

const params = { path: { id: movie.id } }
dataOf(await client.PUT('/v1/users/me/favourites/{id}', { params }))
console.log(dataOf(await client.GET('/v1/users/me/favourites')).metadata)
