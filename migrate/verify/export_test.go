package verify

// Upper is tested by itself.
var Upper = upper
