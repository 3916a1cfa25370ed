// Reads a list of deliveries and prints what each verifier says of each of
// them: "" where it takes it, else why it does not.
//
// A delivery is {headers, body, secret?, publicKey?}. With a secret, the
// libraries verify its v1 signatures. No library of npm's verifies v1a: with a
// publicKey, Node's own crypto does, as the specification says it
// (Standard Webhooks, "Signature scheme").
"use strict";

const crypto = require("node:crypto");
const standardwebhooks = require("standardwebhooks");
const svix = require("svix");

function asymmetric({ headers, body, publicKey }) {
  // RFC 8410: what makes a key of 32 bytes a SubjectPublicKeyInfo.
  const prefix = Buffer.from("302a300506032b6570032100", "hex");
  const raw = Buffer.from(publicKey.replace(/^whpk_/, ""), "base64");
  const key = crypto.createPublicKey({ key: Buffer.concat([prefix, raw]), format: "der", type: "spki" });
  const signed = Buffer.from(`${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`);
  const signatures = headers["webhook-signature"].split(" ").filter((s) => s.startsWith("v1a,"));
  if (!signatures.some((s) => crypto.verify(null, signed, key, Buffer.from(s.slice(4), "base64")))) {
    throw new Error("no matching v1a signature");
  }
}

function verdict(verify) {
  try {
    verify();
    return "";
  } catch (e) {
    return e.message || String(e);
  }
}

function verify(d) {
  if (d.publicKey) return { crypto: verdict(() => asymmetric(d)) };
  return {
    standardwebhooks: verdict(() => new standardwebhooks.Webhook(d.secret).verify(d.body, d.headers)),
    svix: verdict(() => new svix.Webhook(d.secret).verify(d.body, d.headers)),
  };
}

const deliveries = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(deliveries.map(verify)));
