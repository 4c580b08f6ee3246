"""What grid can be asked to do."""

from contracts.grid.commands.agencies import (
    Agency,
    Certificate,
    Jurisdiction,
    Person,
    PutAgency,
    PutJurisdiction,
    PutPerson,
)
from contracts.grid.commands.areas import (
    AreaImport,
    AreaProperty,
    Attribute,
    ImportCrs,
    ImportState,
    PublishAreaImport,
    StartAreaImport,
)
from contracts.grid.commands.changes import (
    ChangeUndone,
    MergeGrids,
    NewGrid,
    Operation,
    RenameArea,
    ReviewPlan,
    SplitGrid,
    StartBoundaryChange,
    UndoBoundaryChange,
)
from contracts.grid.commands.fields import Crs, ExternalRef, Name, Phone
from contracts.grid.commands.leaves import Leave, PutLeave
from contracts.grid.commands.places import Place, PutPlace
from contracts.grid.commands.posts import Post, PutPost

__all__ = [
    "Agency",
    "AreaImport",
    "AreaProperty",
    "Attribute",
    "Certificate",
    "ChangeUndone",
    "Crs",
    "ExternalRef",
    "ImportCrs",
    "ImportState",
    "Jurisdiction",
    "Leave",
    "MergeGrids",
    "Name",
    "NewGrid",
    "Operation",
    "Person",
    "Phone",
    "Place",
    "Post",
    "PublishAreaImport",
    "PutAgency",
    "PutJurisdiction",
    "PutLeave",
    "PutPerson",
    "PutPlace",
    "PutPost",
    "RenameArea",
    "ReviewPlan",
    "SplitGrid",
    "StartAreaImport",
    "StartBoundaryChange",
    "UndoBoundaryChange",
]
