//! Icons of the Lucide set.

use crate::clock::use_beat;
use leptos::prelude::*;
use leptos_icons::Icon as Drawing;

/// Which picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Icon {
    Ascending,
    Bird,
    Braces,
    Brackets,
    Back,
    Check,
    CheckTwice,
    Checklist,
    ChevronDown,
    ChevronRight,
    Close,
    Collection,
    Column,
    Copy,
    CopyText,
    Database,
    Delete,
    Descending,
    Download,
    Error,
    EyeClosed,
    Fit,
    Filter,
    Function,
    History,
    Info,
    Image,
    Key,
    Keyboard,
    Layout,
    Link,
    Minus,
    Monitor,
    Moon,
    Pause,
    Play,
    Plug,
    Plus,
    Pointer,
    Preview,
    Redo,
    Rename,
    Retry,
    /// It turns as the page's clock beats.
    Running,
    Schema,
    Search,
    SelectBox,
    Settings,
    Sparkles,
    Split,
    /// It turns smoothly, which a browser paints sixty times a second: for what takes a moment.
    Spinner,
    Stop,
    Streaming,
    Sun,
    Table,
    Undo,
    Unsorted,
    Upload,
    Warning,
}

impl Icon {
    fn data(self) -> icondata::Icon {
        match self {
            Icon::Ascending => icondata::LuArrowUp,
            Icon::Bird => icondata::LuBird,
            Icon::Braces => icondata::LuBraces,
            Icon::Brackets => icondata::LuBrackets,
            Icon::Back => icondata::LuArrowLeft,
            Icon::Check => icondata::LuCheck,
            Icon::CheckTwice => icondata::LuCheckCheck,
            Icon::Checklist => icondata::LuListChecks,
            Icon::ChevronDown => icondata::LuChevronDown,
            Icon::ChevronRight => icondata::LuChevronRight,
            Icon::Close => icondata::LuX,
            Icon::Collection => icondata::LuFiles,
            Icon::Column => icondata::LuMinus,
            Icon::Copy => icondata::LuCopyPlus,
            Icon::CopyText => icondata::LuClipboardCopy,
            Icon::Database => icondata::LuDatabase,
            Icon::Delete => icondata::LuTrash2,
            Icon::Descending => icondata::LuArrowDown,
            Icon::Download => icondata::LuDownload,
            Icon::Error => icondata::LuCircleAlert,
            Icon::EyeClosed => icondata::LuEyeOff,
            Icon::Fit => icondata::LuMaximize,
            Icon::Filter => icondata::LuFunnel,
            Icon::Function => icondata::LuSquareFunction,
            Icon::Info => icondata::LuInfo,
            Icon::History => icondata::LuHistory,
            Icon::Image => icondata::LuImage,
            Icon::Key => icondata::LuKeyRound,
            Icon::Keyboard => icondata::LuKeyboard,
            Icon::Layout => icondata::LuNetwork,
            Icon::Link => icondata::LuSpline,
            Icon::Minus => icondata::LuMinus,
            Icon::Monitor => icondata::LuMonitor,
            Icon::Moon => icondata::LuMoon,
            Icon::Pause => icondata::LuPause,
            Icon::Play => icondata::LuPlay,
            Icon::Plug => icondata::LuPlug,
            Icon::Plus => icondata::LuPlus,
            Icon::Pointer => icondata::LuMousePointer2,
            Icon::Preview => icondata::LuEye,
            Icon::Redo => icondata::LuRedo2,
            Icon::Rename => icondata::LuPencil,
            Icon::Retry => icondata::LuRefreshCw,
            Icon::Schema => icondata::LuFolder,
            Icon::Search => icondata::LuSearch,
            Icon::SelectBox => icondata::LuSquareDashed,
            Icon::Settings => icondata::LuSettings2,
            Icon::Sparkles => icondata::LuSparkles,
            Icon::Split => icondata::LuRows2,
            Icon::Running | Icon::Spinner => icondata::LuLoaderCircle,
            Icon::Stop => icondata::LuCircleStop,
            Icon::Streaming => icondata::LuRadio,
            Icon::Sun => icondata::LuSun,
            Icon::Table => icondata::LuTable2,
            Icon::Undo => icondata::LuUndo2,
            Icon::Unsorted => icondata::LuArrowUpDown,
            Icon::Upload => icondata::LuUpload,
            Icon::Warning => icondata::LuTriangleAlert,
        }
    }

    fn class(self) -> &'static str {
        match self {
            Icon::Running => "gw-icon gw-icon--running",
            Icon::Spinner => "gw-icon gw-icon--spinning",
            _ => "gw-icon",
        }
    }
}

/// One turn in four seconds.
fn turn(beat: u32) -> String {
    format!("{}deg", beat % 8 * 45)
}

/// A picture beside text that says the same: hidden from screen readers.
#[component]
pub fn Glyph(#[prop(into)] icon: Signal<Icon>) -> impl IntoView {
    let beat = use_beat();
    let rotate = move || (icon.get() == Icon::Running).then(|| turn(beat.get()));
    view! {
        <span class=move || icon.get().class() style:rotate=rotate aria-hidden="true">
            <Drawing icon=Signal::derive(move || icon.get().data())/>
        </span>
    }
}
