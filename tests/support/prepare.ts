// The embedded database starts from a packed cluster, and the console from a bundle, which aren't in the repository.
// Makes them unless `bun run test` already has.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { $ } from 'bun'

const packed = ['embedded/cluster.tar.zst', 'console/console.pack.json']
if (!packed.every((path) => existsSync(join(import.meta.dir, '../../src', path))))
  await $`bun run pack`.quiet()
