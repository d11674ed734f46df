// The types of a package that brings none.
declare module 'html-encoding-sniffer' {
  /** The name of an encoding of the Encoding standard, or `defaultEncoding` as it is. */
  const sniffEncoding: (
    bytes: Uint8Array,
    options?: { xml?: boolean; transportLayerEncodingLabel?: string; defaultEncoding?: string },
  ) => string
  export default sniffEncoding
}
