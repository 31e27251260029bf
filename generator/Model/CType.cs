namespace Native.LibUsb.Generator.Model;

/// <summary>Represents a C type, parsed from the way clang writes it.</summary>
internal abstract record CType
{
    /// <summary>Gets whether something in it, outside the outermost level, is <c>const</c>: C# cannot say so.</summary>
    public abstract bool PointsToConst { get; }
}

/// <summary>Represents a built-in type, a tag or a typedef's name.</summary>
/// <param name="Name">Without <c>const</c>, <c>struct</c>, <c>enum</c> or <c>union</c>.</param>
/// <param name="IsConst">Whether it is <c>const</c>.</param>
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

/// <param name="Element">What it holds.</param>
/// <param name="Length">How many; <see langword="null"/> for a flexible array.</param>
internal sealed record CArrayType(CType Element, int? Length) : CType
{
    public override bool PointsToConst => Element.PointsToConst;
}

internal sealed record CFunctionType(CType Returns, IReadOnlyList<CType> Parameters, bool IsVariadic) : CType
{
    public override bool PointsToConst => false;
}
