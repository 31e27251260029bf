using System;
using System.Text;
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;

/// <summary>
/// Determines the target system, the processor architecture and the dependencies of a libusb file. The file is an archive, an ELF or Mach-O shared library, or
/// an import library. If the file does not contain the value of one of the task's output parameters, that parameter remains empty.
/// </summary>
/// <remarks>
/// MSBuild compiles this source file when a program is linked with libusb. Because the MSBuild of .NET Framework supports only an old version of C#, the source
/// file uses no newer language features.
/// </remarks>
public sealed class ReadLibUsbFile : Task
{
    private byte[] _bytes;

    [Required]
    public string File { get; set; }

    /// <summary>Gets or sets the target system: linux, windows or macos. All ELF files count as linux.</summary>
    [Output]
    public string OperatingSystem { get; set; }

    /// <summary>Gets or sets the processor architecture, as in runtime identifiers.</summary>
    [Output]
    public string Architecture { get; set; }

    [Output]
    public bool IsArchive { get; set; }

    /// <summary>Gets or sets whether the object files of an archive call libudev.</summary>
    [Output]
    public bool NeedsUdev { get; set; }

    /// <summary>
    /// Gets or sets the name of a function that an archive's object files call and that only glibc provides. If the object files call several such functions,
    /// the name is that of the first. If they call no such function, the name is empty.
    /// </summary>
    [Output]
    public string NeedsGlibc { get; set; }

    public override bool Execute()
    {
        OperatingSystem = Architecture = NeedsGlibc = "";
        _bytes = global::System.IO.File.ReadAllBytes(File);
        try
        {
            IsArchive = HasText(0, "!<arch>\n") || HasText(0, "!<thin>\n");
            if (HasText(0, "!<arch>\n"))
                ReadArchive();
            else
                ReadObject(0, _bytes.Length);
        }
        catch (Exception exception) when (exception is ArgumentException || exception is FormatException)
        {
            // The file is damaged. The linker reports a more precise error.
        }

        return true;
    }

    private void ReadArchive()
    {
        int position = 8;
        while (position + 60 <= _bytes.Length)
        {
            string name = Text(position, 16).TrimEnd();
            int length = int.Parse(Text(position + 48, 10).Trim());
            int start = position + 60;
            int nameInside = name.StartsWith("#1/", StringComparison.Ordinal) ? int.Parse(name.Substring(3)) : 0;
            bool isIndex = name == "/" || name == "//" || name == "/SYM64/" || name.StartsWith("__.SYMDEF", StringComparison.Ordinal);
            if (!isIndex && length > nameInside)
                ReadObject(start + nameInside, length - nameInside);
            position = start + length + (length & 1);
        }
    }

    private void ReadObject(int start, int length)
    {
        if (length < 20)
            return;
        uint magic = Number(start, 4);
        if (HasText(start, "\u007fELF"))
        {
            OperatingSystem = "linux";
            bool isWide = _bytes[start + 4] == 2;
            if (_bytes[start + 5] != 1)
                return; // big-endian
            Architecture = ElfArchitecture(Number(start + 18, 2), isWide);
            if (IsArchive)
                ReadSymbols(start, isWide);
        }
        else if (magic == 0xfeedfacf)
        {
            uint processor = Number(start + 4, 4);
            OperatingSystem = "macos";
            Architecture = processor == 0x01000007 ? "x64" : processor == 0x0100000c ? "arm64" : "";
        }
        else if (IsArchive)
        {
            // The data is a Windows object file or a member of an import library.
            bool isImport = magic == 0xffff0000;
            string architecture = CoffArchitecture(Number(start + (isImport ? 6 : 0), 2));
            if (architecture.Length != 0)
            {
                OperatingSystem = "windows";
                Architecture = architecture;
            }
        }
    }

    private static string ElfArchitecture(uint machine, bool isWide)
    {
        switch (machine)
        {
            case 3: return "x86";
            case 40: return "arm";
            case 62: return isWide ? "x64" : "x32";
            case 183: return "arm64";
            case 243: return "riscv64";
            case 258: return "loongarch64";
            default: return "";
        }
    }

    private static string CoffArchitecture(uint machine)
    {
        switch (machine)
        {
            case 0x014c: return "x86";
            case 0x8664: return "x64";
            case 0xaa64: return "arm64";
            default: return "";
        }
    }

    // Reads the names of the functions that an object file calls but does not define.
    private void ReadSymbols(int start, bool isWide)
    {
        const int symbolTable = 2;
        int sections = start + (int)Number(start + (isWide ? 0x28 : 0x20), 4);
        int sectionSize = (int)Number(start + (isWide ? 0x3a : 0x2e), 2), count = (int)Number(start + (isWide ? 0x3c : 0x30), 2);
        for (int i = 0; i < count; i++)
        {
            int section = sections + i * sectionSize;
            if (Number(section + 4, 4) != symbolTable)
                continue;
            int strings = sections + (int)Number(section + (isWide ? 0x28 : 0x18), 4) * sectionSize;
            int names = start + Offset(strings, isWide), symbols = start + Offset(section, isWide);
            int size = (int)Number(section + (isWide ? 0x20 : 0x14), 4), step = isWide ? 24 : 16;
            for (int symbol = symbols; symbol < symbols + size; symbol += step)
            {
                bool isDefined = Number(symbol + (isWide ? 6 : 14), 2) != 0;
                if (!isDefined)
                    Note(NameAt(names + (int)Number(symbol, 4)));
            }
        }
    }

    private int Offset(int section, bool isWide) => (int)Number(section + (isWide ? 0x18 : 0x10), 4);

    // glibc has functions that check the lengths of buffers (*_chk), and functions whose names begin with __isoc23_. musl has neither, so an archive that calls
    // such a function requires glibc.
    private void Note(string name)
    {
        NeedsUdev |= name == "udev_new";
        bool isChecked = name.StartsWith("__", StringComparison.Ordinal) && name.EndsWith("_chk", StringComparison.Ordinal);
        if (NeedsGlibc.Length == 0 && (isChecked || name.StartsWith("__isoc23_", StringComparison.Ordinal)))
            NeedsGlibc = name;
    }

    private string NameAt(int position)
    {
        int end = Array.IndexOf(_bytes, (byte)0, position);
        return Text(position, end - position);
    }

    private uint Number(int position, int length)
    {
        uint number = 0;
        for (int i = 0; i < length; i++)
        {
            if (position < 0 || position + i >= _bytes.Length)
                throw new ArgumentException("The file ends too early.");
            number |= (uint)_bytes[position + i] << (8 * i);
        }

        return number;
    }

    private bool HasText(int position, string text) => position + text.Length <= _bytes.Length && Text(position, text.Length) == text;

    private string Text(int position, int length) => Encoding.ASCII.GetString(_bytes, position, length);
}
