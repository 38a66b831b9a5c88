// The embedded database starts from a packed cluster that isn't in the repository: made here once, if need be.
import { $ } from 'bun'

await $`bun run pack`.quiet()
