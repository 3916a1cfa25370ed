package api

const webhooksTag = "Webhooks"
