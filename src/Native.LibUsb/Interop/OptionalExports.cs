namespace Native.LibUsb.Interop;

/// <summary>
/// Finds the addresses of functions that some supported versions of libusb lack. The generated part of this class lists the functions.
/// </summary>
/// <remarks>
/// These functions cannot be plain imports. In a statically linked program, the linker reports an error if libusb's archive lacks an imported function. In a
/// dynamically linked program, the runtime's exception for such a function does not name the version to install. The class looks up each function by its name.
/// It does not compare version numbers, because the libusb project has added functions without changing the version number.
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

    // The array needs the length of s_names, which is in another file. If the static fields of a class are in several files, C# does not define the order
    // in which the fields are initialized. The array is therefore in a class of its own.
    private static class Known
    {
        // The array has one word for each function. If several threads write to the same word at the same time, they all write the same value, because the
        // loaded library does not change.
        internal static readonly nint[] Addresses = new nint[s_names.Length];
    }
}
