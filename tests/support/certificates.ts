import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { own } from './postgres'

/** Certificate authorities and certificates, made with openssl; the server's only name is `localhost`. */
export async function makeCertificates() {
  const folder = await mkdtemp(join(tmpdir(), 'redlight-certificates-'))
  const path = (name: string) => join(folder, name)
  const openssl = async (...args: string[]) => {
    await Bun.$`openssl ${args}`.cwd(folder).quiet()
  }
  const key = (name: string) => ['-newkey', 'rsa:2048', '-nodes', '-keyout', path(`${name}.key`)]
  async function authority(name: string) {
    const subject = ['-subj', `/CN=${name}`, '-days', '2', '-out', path(`${name}.crt`)]
    await openssl('req', '-x509', ...key(name), ...subject)
  }
  async function signed(name: string, subject: string, names: string) {
    await Bun.write(path('names'), names)
    await openssl('req', ...key(name), '-subj', `/CN=${subject}`, '-out', path(`${name}.csr`))
    const by = ['-CA', path('ca.crt'), '-CAkey', path('ca.key'), '-CAcreateserial', '-days', '2']
    const to = ['-extfile', path('names'), '-in', path(`${name}.csr`), '-out', path(`${name}.crt`)]
    await openssl('x509', '-req', ...by, ...to)
  }
  await authority('ca')
  await authority('other')
  await signed('server', 'localhost', 'subjectAltName=DNS:localhost')
  await signed('client', 'certified', 'extendedKeyUsage=clientAuth')
  await openssl(
    'rsa',
    '-aes256',
    '-passout',
    'pass:a pass phrase',
    '-in',
    path('client.key'),
    '-out',
    path('locked.key'),
  )
  if (process.getuid?.() === 0)
    for (const name of ['', 'server.key', 'server.crt', 'ca.crt']) await own(path(name))
  return { folder, path }
}
