// Loader hooks that find this package by its name, for a Node without synchronous hooks. Everything else is left to the
// next loader.

/** @type {Record<string, string>} the URL of each entry, by its name */
let own = {}

/** @type {import('node:module').InitializeHook<Record<string, string>>} */
export const initialize = data => {
  own = data
}

/** @type {import('node:module').ResolveHook} */
export const resolve = (specifier, context, next) => {
  const url = Object.hasOwn(own, specifier) ? own[specifier] : undefined
  return url === undefined ? next(specifier, context) : { url, format: 'module', shortCircuit: true }
}
