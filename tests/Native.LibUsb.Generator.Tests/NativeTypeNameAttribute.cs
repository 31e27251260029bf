namespace Native.LibUsb.Interop;

/// <summary>Replaces the attribute of Native.LibUsb, so that the golden files compile in this project.</summary>
[AttributeUsage(AttributeTargets.Parameter | AttributeTargets.ReturnValue | AttributeTargets.Field)]
internal sealed class NativeTypeNameAttribute(string name) : Attribute
{
    public string Name { get; } = name;
}
