// Width of a string on a terminal, counted in code points: what this tool prints in tables and help is plain text.
const stringWidth = (text) => Array.from(String(text)).length;
module.exports = stringWidth;
module.exports.default = stringWidth;
