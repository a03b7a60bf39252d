--- Names that every object of JavaScript has from its prototype. phoenix.js before 1.8.9 takes them
-- for keys that are present already, and crashes (CVE-2026-56812).
return {
  __defineGetter__ = true, __defineSetter__ = true, __lookupGetter__ = true,
  __lookupSetter__ = true, __proto__ = true, constructor = true, hasOwnProperty = true,
  isPrototypeOf = true, propertyIsEnumerable = true, toLocaleString = true, toString = true,
  valueOf = true,
}
