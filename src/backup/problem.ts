import { OperatorError } from '../errors'

const FIX = new Map([
  ['ENOENT', "there is no such file or folder: correct the path, or make the folder that it's in"],
  ['EACCES', 'this user may not: let them, or use another folder'],
  ['EPERM', 'this user may not: let them, or use another folder'],
  ['EROFS', 'the file system is read-only: use another folder'],
  ['ENOSPC', 'the disk is full: free some space, or use another folder'],
  ['EDQUOT', 'the quota is used up: free some space, or use another folder'],
  ['EISDIR', 'that is a folder: name a file'],
  ['ENOTDIR', 'a part of the path is no folder: correct it'],
])

/** What the file system refused, in words; any other error as it is. */
export function aboutFile(doing: string, path: string, error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const fix = FIX.get(code) ?? (/^E[A-Z]+$/.test(code) ? 'see what the disk has' : undefined)
  return fix === undefined ? error : new OperatorError(`can't ${doing} ${path} (${code}): ${fix}`)
}
