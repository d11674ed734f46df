// Lets a thread run from the TypeScript sources: threads do not inherit the loader of their process on Node 20.
// Not part of the build; what is built needs no loader. The module is the thread's first argument.
import { register as registerCommonJs } from 'tsx/cjs/api'
import { register as registerModules } from 'tsx/esm/api'

registerCommonJs()
registerModules()
await import(process.argv[2])
