using Native.LibUsb.Generator.Clang;

namespace Native.LibUsb.Generator.Model;

/// <summary>Represents the declarations of a header, in one list for each kind.</summary>
/// <param name="Refused">The names of the declarations that the generator has refused completely or in part. The generator reports no further errors of such a
/// declaration, because they would only be consequences of the first error.</param>
internal sealed record CHeader(
    IReadOnlyList<CConstant> Constants,
    IReadOnlyList<CEnum> Enums,
    IReadOnlyList<CRecord> Records,
    IReadOnlyList<CCallback> Callbacks,
    IReadOnlyList<CFunction> Functions,
    IReadOnlyDictionary<string, CType> Typedefs,
    IReadOnlySet<string> Refused);

/// <summary>Represents a declaration with a name at file scope.</summary>
internal interface IDeclaration
{
    string Name { get; }

    SourceLocation Location { get; }
}

/// <summary>Represents a macro that is an integer constant expression.</summary>
/// <param name="IsHexadecimal">Whether the header writes the number in hexadecimal.</param>
/// <param name="Member">The enum and the member if the macro is an alias for an enum member; otherwise null.</param>
internal sealed record CConstant(string Name, SourceLocation Location, long Value, bool IsHexadecimal, (string Enum, string Member)? Member) : IDeclaration;

internal sealed record CEnum(string Name, SourceLocation Location, IReadOnlyList<CEnumMember> Members) : IDeclaration;

internal sealed record CEnumMember(string Name, SourceLocation Location, long Value, bool IsHexadecimal);

/// <param name="Spelling">The name of the type in C, such as <c>struct x</c>.</param>
/// <param name="Fields">The fields. If the header does not define the record, the record is opaque, and the value is <see langword="null"/>.</param>
internal sealed record CRecord(string Name, string Spelling, SourceLocation Location, bool IsUnion, bool IsPacked, IReadOnlyList<CField>? Fields) : IDeclaration;

/// <param name="TypeText">The type as the header writes it.</param>
/// <param name="Nested">The record if the type of the field is a record without a name; otherwise null.</param>
internal sealed record CField(string Name, SourceLocation Location, CType Type, string TypeText, CRecord? Nested);

internal sealed record CCallback(string Name, SourceLocation Location, CFunctionType Type, IReadOnlyList<CParameter> Parameters) : IDeclaration;

internal sealed record CFunction(
    string Name, SourceLocation Location, CType Returns, string ReturnsText, IReadOnlyList<CParameter> Parameters, bool IsVariadic, bool IsInline) : IDeclaration;

internal sealed record CParameter(string Name, CType Type, string TypeText);
