namespace Native.LibUsb.Interop;

/// <summary>
/// Finds the addresses of functions that not every supported libusb has. The generated part of this class lists the functions.
/// </summary>
/// <remarks>
/// These functions cannot be plain imports. If a statically linked program imported a function that libusb's archive lacks, the linker would report an error.
/// If a dynamically linked program imported such a function, the runtime's exception would not name the version to install. The class looks up each function by
/// its name. It does not compare version numbers, because the libusb project has added functions without changing the version number.
/// </remarks>
internal static unsafe partial class OptionalExports
{
    // Marks a function that the library lacks; 0 marks a function that no lookup has searched for yet.
    private const nint Absent = -1;

    /// <summary>Gets the address of an optional function.</summary>
    /// <param name="index">One of the generated constants. It identifies the function.</param>
    /// <exception cref="UsbNotSupportedException">The loaded libusb does not have the function.</exception>
    internal static void* Get(int index)
    {
        nint address = Find(index);
        if (address == Absent)
            throw Missing(index);
        return (void*)address;
    }

    /// <summary>Returns whether the loaded libusb has an optional function.</summary>
    internal static bool IsAvailable(int index) => Find(index) != Absent;

    private static nint Find(int index)
    {
        ref nint known = ref Known.Addresses[index];
        nint address = Volatile.Read(ref known);
        if (address != 0)
            return address;
        if (!LibraryLoader.TryGetExport(s_names[index], out address))
            address = Absent;
        Volatile.Write(ref known, address);
        return address;
    }

    private static UsbNotSupportedException Missing(int index) =>
        new(s_names[index], System.Version.Parse(s_versions[index]), LibraryLoader.Version, LibraryLoader.ReasonForNoExports);

    // The array is in a separate class, because C# does not define the order in which the static fields of a partial class with several files are initialized.
    private static class Known
    {
        // The array has one word for each function. If several threads write a word at the same time, they write the same value, because the loaded library
        // does not change.
        internal static readonly nint[] Addresses = new nint[s_names.Length];
    }
}
