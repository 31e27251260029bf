namespace Native.LibUsb;

/// <summary>Copies the class-specific and vendor-specific descriptors that libusb stores with a standard descriptor.</summary>
internal static unsafe class ExtraBytes
{
    public static byte[] Copy(byte* bytes, int length) =>
        bytes is not null && length > 0 ? new ReadOnlySpan<byte>(bytes, length).ToArray() : [];
}
