// Shows the API's description with Swagger UI.
"use strict";

addEventListener("DOMContentLoaded", () => {
  SwaggerUIBundle({
    url: "/openapi.json",
    dom_id: "#swagger",
    deepLinking: true,
    defaultModelsExpandDepth: -1,
    docExpansion: "list",
    validatorUrl: null,
  });
});
