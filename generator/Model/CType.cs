namespace Native.LibUsb.Generator.Model;

/// <summary>Represents a C type, parsed from clang's spelling.</summary>
internal abstract record CType
{
    /// <summary>Gets whether the type points to <c>const</c> data. A C# type cannot express this.</summary>
    public abstract bool PointsToConst { get; }
}

/// <summary>Represents a type that has a name: a built-in type, a struct, a union, an enum or a typedef.</summary>
/// <param name="Name">The name without <c>const</c>, <c>struct</c>, <c>enum</c> or <c>union</c>.</param>
/// <param name="IsConst">Whether the type is <c>const</c>.</param>
internal sealed record CNamedType(string Name, bool IsConst) : CType
{
    public override bool PointsToConst => false;
}

/// <summary>Represents a union or struct without a name, declared where it is used.</summary>
internal sealed record CAnonymousType : CType
{
    public override bool PointsToConst => false;
}

internal sealed record CPointerType(CType Target) : CType
{
    public override bool PointsToConst => Target is CNamedType { IsConst: true } || Target.PointsToConst;
}

/// <param name="Element">The type of the elements.</param>
/// <param name="Length">The number of elements. A flexible array has the length <see langword="null"/>.</param>
internal sealed record CArrayType(CType Element, int? Length) : CType
{
    public override bool PointsToConst => Element.PointsToConst;
}

internal sealed record CFunctionType(CType Returns, IReadOnlyList<CType> Parameters, bool IsVariadic) : CType
{
    public override bool PointsToConst => false;
}
