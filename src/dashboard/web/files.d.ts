// What importing a file that is no module gives: its address, made by Vite.
declare module '*.svg' {
  const address: string
  export default address
}
