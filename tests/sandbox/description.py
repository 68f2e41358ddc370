"""Close's published API description, of which a copy may lie beside the project.

Source  https://developer.close.com publishes it; it is not ours to keep here.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import yaml
from openapi_schema_validator import OAS31Validator, oas31_format_checker
from referencing import Registry
from referencing.jsonschema import DRAFT202012

WHERE: Final = Path(__file__).parents[3] / "shared" / "close-openapi.yml"
METHODS: Final = ("get", "post", "put", "delete")


@dataclass(frozen=True)
class Description:
    """What is described of each operation: the statuses of its answers, and their bodies."""

    paths: dict[str, Any]
    registry: Registry[Any]

    @classmethod
    def read(cls, path: Path) -> Self:
        document = yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)
        resource = DRAFT202012.create_resource(document)
        return cls(document["paths"], Registry().with_resource("close:", resource))

    def operations(self) -> set[tuple[str, str]]:
        """Every method and path, as `("GET", "/me/")`."""
        return {(name.upper(), path) for path, methods in self.paths.items() for name in methods if name in METHODS}

    def statuses(self, method: str, path: str) -> set[int]:
        """The statuses that an operation answers."""
        return {int(status) for status in self.paths[path][method.lower()]["responses"]}

    def problems_in_answer(self, method: str, path: str, status: int, body: Any) -> list[str]:
        """What is wrong with the body of an answer whose status is described."""
        pointer = "/".join(
            ["#", "paths", path.replace("/", "~1").replace("{", "%7B").replace("}", "%7D"), method.lower()]
        )
        return self._problems(f"{pointer}/responses/{status}/content/application~1json/schema", body)

    def problems_in(self, schema: str, value: Any) -> list[str]:
        """What is wrong with a value of this name."""
        return self._problems(f"#/components/schemas/{schema}", value)

    def _problems(self, pointer: str, value: Any) -> list[str]:
        validator = OAS31Validator(
            {"$ref": f"close:{pointer}"}, registry=self.registry, format_checker=oas31_format_checker
        )
        return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]
