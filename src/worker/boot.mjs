// Lets a thread run from the TypeScript sources: threads do not inherit the loader of their process on Node 20.
// Not part of the build; dist starts thread-main.js itself.
import { register as registerCommonJs } from 'tsx/cjs/api'
import { register as registerModules } from 'tsx/esm/api'

registerCommonJs()
registerModules()
await import('./thread-main.ts')
