// The console is served from a bundle that isn't in the repository. Makes it, and a missing cluster, unless `bun run test`
// already has.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { $ } from 'bun'

const packed = ['embedded/cluster.tar.zst', 'console/console.pack.json']
if (!packed.every((path) => existsSync(join(import.meta.dir, '../../src', path))))
  await $`bun run pack`.quiet()
